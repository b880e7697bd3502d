"""Carries out one step after another on a real database: ask, send, try again, check, log."""

from __future__ import annotations

from itertools import count

from pgrehearse.errors import ExpectationError, SetupError
from pgrehearse.execution.backoff import AGAIN, LOCK_NOT_AVAILABLE, Backoff
from pgrehearse.execution.executor import Executor
from pgrehearse.execution.results import CellResult
from pgrehearse.execution.runbook import locks
from pgrehearse.execution.runbook.bookkeeping import Recorder
from pgrehearse.execution.runbook.remains import NEXT_STEP, REMAINS
from pgrehearse.execution.runbook.reporter import Reporter
from pgrehearse.execution.runbook.run_log import RunLog
from pgrehearse.execution.runbook.steps import Step
from pgrehearse.execution.session import Message, Session
from pgrehearse.findings import Finding, indented
from pgrehearse.text.answers import stopped, unseen
from pgrehearse.text.concurrent import Index, built_index
from pgrehearse.text.document import LOOKING, Cell, Document
from pgrehearse.text.variables import quote_literal

__all__ = ["Operator"]

#: What comes next after a check of ours: the SQLSTATE is session_checked.sql's, or no_remains.sql's.
_STOPS = {
    "PGR01": "run it with --from-top: every step is carried out again, in one session",
    REMAINS: NEXT_STEP,
}
_BUILT = """
SELECT 1 AS built
  FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
 WHERE i.indisvalid AND c.relname OPERATOR(pg_catalog.=) {name}
   AND i.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({table})
"""


class Operator:
    """Carries out steps through ``executor``, tells and asks ``reporter``, and records what it did."""

    def __init__(
        self,
        document: Document,
        executor: Executor,
        recorder: Recorder,
        log: RunLog,
        backoff: Backoff,
        reporter: Reporter,
    ) -> None:
        self.document = document
        self.executor = executor
        self.recorder = recorder
        self.log = log
        self.backoff = backoff
        self.reporter = reporter
        self._observed = False

    def limit_lock_waits(self, lock_timeout: str) -> None:
        """Set lock_timeout before the first step, for SQL and Python; a step may set its own.

        The server also looks every second whether this process is still there: the statement of a run
        that was killed must not go on beside the run that resumes it.
        """
        literal = quote_literal(lock_timeout)
        session = self._settings([f"SET lock_timeout = {literal}", "SHOW lock_timeout"])
        reason = session.error.text if session.error else ""
        value = "" if session.error else session.output[1].split("\n")[2].strip()
        if reason or value == "0":
            raise SetupError(
                f"--lock-timeout was refused: {reason or '0 means to wait without end'}",
                next_step="write it as 2s or 500ms",
            )
        options = [self.executor.python.environment.get("PGOPTIONS", ""), f"-c lock_timeout={value}"]
        if self._settings(["SET client_connection_check_interval = '1s'"]).error is None:
            options.append("-c client_connection_check_interval=1s")  # not on every platform
        self.executor.python.environment["PGOPTIONS"] = " ".join(options).strip()

    def hold_lock(self) -> None:
        """Let the session hold the lock of the runbook: the next run waits for what is left of this one."""
        self._run_ours(locks.hold(self.document.path.name))

    def _settings(self, statements: list[str]) -> Session:
        session = self.executor.session("main")
        session.start([Message(statement, 1) for statement in statements])
        while not session.pump(1.0):
            pass
        return session

    def finish(self) -> None:
        """The end of a phase. Raises ExpectationError for work that would be lost with the session."""
        if self._in_transaction():
            raise ExpectationError(
                "the runbook left its transaction open: what it did there is lost",
                path=self.document.path,
                next_step="end the transaction in a step of the runbook, then run again",
            )

    def _in_transaction(self) -> bool:
        return self.executor.session("main").in_transaction

    def carry_out(self, step: Step) -> bool:
        """Tell a step, ask, run and check it; what an earlier run did is left out.

        Returns False when the answer is no. Raises ExpectationError when anything is not as the runbook says,
        SetupError when what was done cannot be recorded.
        """
        looks = step.cell.phase in LOOKING
        if looks:
            self.finish()  # a check has a transaction of its own
        else:
            self._observe()
        if self.recorder.is_done(step):
            return self._made_again(step)
        self.reporter.step(step)
        if not self.reporter.asks(step):
            return False
        if not looks:
            self._look(step)
        if self._observed and (looks or step.cell.language != "sql"):
            self._run_ours(self.recorder.check())
        result, attempts = self._attempt(step)
        self._logged(step, result, attempts)
        if result.output:
            self.reporter.output(step, result.output)
        if result.failure is not None:
            hidden = self._unseen(step, result)
            if not hidden:
                raise self._surprise(step, result, result.failure)
            return self.reporter.accepts(step, hidden)
        if result.status == "skipped":
            self.reporter.skipped(step, result.reason)
        elif not looks:
            self._run_ours(*self.recorder.completed(self._in_transaction()))
            if not self._in_transaction():
                self._run_ours(locks.hold(self.document.path.name))
        return True

    def _unseen(self, step: Step, result: CellResult) -> str:
        """What the check ``step`` could not see, where nothing else is wrong."""
        expected = step.cell.expected
        if step.cell.phase not in LOOKING or expected is None:
            return ""
        return unseen(expected.text, result.output)

    def _observe(self) -> None:
        """Before the first step that changes something: how the session is then."""
        if not self._observed:
            self._observed = True
            self.recorder.state.begin(self.executor.session("main"))

    def _made_again(self, step: Step) -> bool:
        """Of a step that an earlier run did, what ended with its session."""
        if not step.only_of_the_session:
            self.reporter.done_earlier(step)
        if not self.recorder.keeps_session(step):
            return True
        if step.only_of_the_session:
            self.reporter.step(step)
        self.recorder.begin(step, again=True)
        self.executor.compare = False
        result = self._run(step.cell)
        self.executor.compare = True
        if result.failure is not None:
            raise self._surprise(step, result, result.failure)
        return True

    def _look(self, step: Step) -> None:
        """What became of statements that an earlier run began, where that can be told."""
        begun = self.recorder.begun(step)
        if not begun:
            return
        for row in begun:
            index = built_index(step.statements[row.key[1] - 1]) if row.key[1] and not row.key[2] else None
            if index is not None and self._there(index):
                self.recorder.settled(row)
        self.reporter.tells("an earlier run was interrupted in this step: what has no record is sent again")

    def _there(self, index: Index) -> bool:
        question = _BUILT.format(name=quote_literal(index.name), table=quote_literal(index.table))
        session = self.executor.session("main")
        return session.run([Message(question, 1)]) is None and "(1 row)" in session.output[0]

    def _run_ours(self, *statements: str) -> None:
        """Send what belongs to us and not to the runbook."""
        session = self.executor.session("main")
        sent = [Message(statement, 1) for statement in statements if statement]
        error = session.run(sent) if sent else None
        if error is None:
            return
        if error.sqlstate in _STOPS:
            raise ExpectationError(error.text, path=self.document.path, next_step=_STOPS[error.sqlstate])
        raise SetupError(
            f"the last step is done, and could not be recorded: {error.text}",
            path=self.document.path,
            next_step="look at the database, then run again",
        )

    def _attempt(self, step: Step) -> tuple[CellResult, int]:
        """Run the cell; a step that does not get its lock is rolled back and tried again, with pauses.

        Statements of it that are committed are not sent again. Not inside the transaction of an earlier step:
        the rollback would undo that one too. Nor what works step by step: it leaves an INVALID index, and the
        second attempt would find it.
        """
        alone = not self._in_transaction()
        self.executor.compare = not self.recorder.partly(step)
        for attempt in count(1):
            self.recorder.begin(step)
            if step.cell.phase not in LOOKING and step.cell.language != "sql":
                self.recorder.begins()
            result = self._run(step.cell)
            sqlstate = result.failure.sqlstate if result.failure else ""
            if sqlstate not in AGAIN or not alone or step.concurrent(result.generated):
                break
            self._roll_back()
            pause = self.backoff.pause(attempt, sqlstate)
            if pause is None:
                break
            self.reporter.pauses(step, pause)
            self.backoff.sleep(pause.seconds)
        self.executor.compare = True
        return result, attempt

    def _run(self, cell: Cell) -> CellResult:
        results = self.executor.run(cell, self.recorder)
        return next(result for result in results if result.cell is cell)

    def _roll_back(self) -> None:
        session = self.executor.session("main")
        if session.in_transaction:
            session.run([Message("ROLLBACK", 1)])
        self.recorder.undone()

    def _surprise(self, step: Step, result: CellResult, failure: Finding) -> ExpectationError:
        """The error of a step that did something else than the runbook says."""
        looks, session = step.cell.phase in LOOKING, self.executor.sessions.get("main")
        done = step.cell.language == "sql" and session is not None and session.error is None
        if done and not looks:
            self.recorder.failed()
        if refusal := stopped(result.output):
            place = f"{step.label}, {self.document.path}:{step.cell.line}"
            return ExpectationError(f"refused: {refusal}\n  {place}", next_step=_after(step, result))
        detail = f"\n{indented(failure.detail)}" if failure.detail else ""
        return ExpectationError(
            f"{step.label}: {failure.message}{detail}",
            path=self.document.path,
            line=failure.line,
            next_step=_after(step, result),
        )

    def _logged(self, step: Step, result: CellResult, attempts: int) -> None:
        self.log.write(
            "step",
            phase=step.cell.phase,
            line=step.cell.line,
            cell=step.cell.digest,
            status=result.status,
            seconds=round(result.seconds, 3),
            attempts=attempts,
            in_transaction=self._in_transaction(),
            sqlstate=(result.failure.sqlstate or None) if result.failure else None,
        )


def _after(step: Step, result: CellResult) -> str:
    """What the operator does after a step that did not do what it should."""
    if result.failure and result.failure.sqlstate in _STOPS:
        return _STOPS[result.failure.sqlstate]
    if result.failure and result.failure.sqlstate == "25006" and r"\gexec" in step.cell.source:
        return result.failure.next_step
    if step.cell.phase == "Preflight":
        return "nothing was changed; resolve what the check names, then run again"
    if step.concurrent(result.generated):
        return "an INVALID index may be left; run again from the top with --from-top, it looks for remains"
    if result.failure and result.failure.sqlstate == LOCK_NOT_AVAILABLE:
        return "find who holds the lock, then run again: done steps are not repeated"
    return "look at the database, then run again: done steps are not repeated; or --phase roll-back"
