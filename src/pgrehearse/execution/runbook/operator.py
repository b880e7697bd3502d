"""Carries out one step after another on a real database: ask, send, try again, check, log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import count

from pgrehearse.errors import ExpectationError, SetupError
from pgrehearse.execution.backoff import AGAIN, Backoff
from pgrehearse.execution.cell_messages import messages
from pgrehearse.execution.executor import Executor
from pgrehearse.execution.results import CellResult
from pgrehearse.execution.runbook import locks
from pgrehearse.execution.runbook.bookkeeping import Recorder
from pgrehearse.execution.runbook.lock_waits import LockWaits
from pgrehearse.execution.runbook.near_names import names_nothing, near_names
from pgrehearse.execution.runbook.preview import Part, defines, preview
from pgrehearse.execution.runbook.reporter import Reporter
from pgrehearse.execution.runbook.run_log import RunLog
from pgrehearse.execution.runbook.steps import Step
from pgrehearse.execution.runbook.surprises import STOPS, surprise
from pgrehearse.execution.runbook.watch import Watch
from pgrehearse.execution.session import Message
from pgrehearse.findings import Finding
from pgrehearse.text.answers import unseen
from pgrehearse.text.concurrent import Index, built_index
from pgrehearse.text.document import LOOKING, Document
from pgrehearse.text.variables import quote_literal, used

__all__ = ["Operator"]

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
        watch: Watch,
        lock_waits: LockWaits,
    ) -> None:
        self.document = document
        self.executor = executor
        self.recorder = recorder
        self.log = log
        self.backoff = backoff
        self.reporter = reporter
        self.watch = watch
        self.lock_waits = lock_waits
        self._observed = False
        #: what was shown of the step, by the number of the statement; whether more than that was declined
        self._shown: dict[int, Part] = {}
        self._declined = False
        recorder.agrees = self._agrees

    def hold_lock(self) -> None:
        """Let the session hold the lock of the runbook: the next run waits for what is left of this one."""
        self._run_ours(locks.hold(self.document.path.name))

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
            if not self._gone(step):
                return self._made_again(step)
            self.recorder.forget(step)
            self.reporter.tells(f"{step.label}: done in the earlier run, and undone since: it is due again")
        self.reporter.step(step)
        parts = self._parts(step)
        self._shown = {number: part for number, part in enumerate(parts, 1) if part.generated is not None}
        if parts:
            self.reporter.sends(step, parts)
        nothing = bool(parts) and all(part.nothing for part in parts)
        if step.confirmed and not nothing and not self.reporter.asks(step):
            return False
        if not looks:
            self._look(step)
        if self._observed and (looks or step.cell.language != "sql"):
            self._run_ours(self.recorder.check())
        self.log.write("begin", sync=False, phase=step.cell.phase, line=step.cell.line, heading=step.heading)
        result, attempts = self._attempt(step)
        hidden = self._unseen(step, result)
        self._logged(step, result, attempts, hidden)
        if rest := self.watch.not_told(result.output):
            self.reporter.output(step, rest)
        if result.failure is not None:
            if not hidden:
                raise self._surprise(step, result, result.failure)
            return self.reporter.accepts(step, hidden)
        if self._declined:
            return False
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

    # --- what a step sends ---------------------------------------------------------------------------

    def _parts(self, step: Step) -> tuple[Part, ...]:
        r"""What ``step`` sends, as the database is now; empty where that is its text, and no query."""
        if step.cell.phase in LOOKING or not step.asks:
            return ()
        sent = messages(step.cell, self.executor.values, self.document.path)
        parts = preview(self.executor.session("main"), sent, self.lock_waits.rewritten)
        return tuple(self.recorder.marked(step, number, part) for number, part in enumerate(parts, 1))

    def _gone(self, step: Step) -> bool:
        """Whether somebody undid what the earlier run did: its queries generate DDL again."""
        generated = (sql for part in self._parts(step) for sql in part.generated or ())
        return any(defines(sql) for sql in generated)

    def _agrees(self, message: Message, statements: Sequence[str]) -> Sequence[str] | None:
        """What to send of ``statements``, generated now: what was not shown is shown and asked for.

        Not in a transaction: it would hold its locks while somebody reads.
        """
        sent, shown = [self.lock_waits.rewritten(sql) for sql in statements], self._shown.get(message.number)
        step = self.recorder.step
        if shown is None or step is None or not Counter(sent) - Counter(shown.generated or ()):
            return sent
        part = self.recorder.marked(step, message.number, Part(message.sql, tuple(sent)))
        self.reporter.sends(step, [part])
        self._declined = not self._in_transaction() and not self.reporter.asks(step)
        return None if self._declined else sent

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
        result = self._run(step)
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
        if error.sqlstate in STOPS:
            raise ExpectationError(error.text, path=self.document.path, next_step=STOPS[error.sqlstate])
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
            result = self._run(step)
            sqlstate = result.failure.sqlstate if result.failure else ""
            if sqlstate not in AGAIN or not alone or step.concurrent(result.generated):
                break
            self._roll_back()
            pause = self.backoff.pause(attempt, sqlstate)
            if pause is None:
                break
            self.watch.tell_blockers()
            self.reporter.pauses(step, pause)
            self.backoff.sleep(pause.seconds)
        self.executor.compare = True
        return result, attempt

    def _run(self, step: Step) -> CellResult:
        with self.watch.over(step):
            results = self.executor.run(step.cell, self.recorder)
        return next(result for result in results if result.cell is step.cell)

    def _surprise(self, step: Step, result: CellResult, failure: Finding) -> ExpectationError:
        """The error of a step that did something else than the runbook says."""
        looks, session = step.cell.phase in LOOKING, self.executor.sessions.get("main")
        done = step.cell.language == "sql" and session is not None and session.error is None
        if done and not looks:
            self.recorder.failed()
        hints: Sequence[str] = ()
        if names_nothing(result):
            kinds = {name: one.kind for name, one in self.document.front.parameters.items()}
            hints = near_names(self.executor.conninfo, self.executor.values, used(step.cell.source), kinds)
        return surprise(self.document, step, result, failure, blockers=self.watch.blockers, hints=hints)

    def _roll_back(self) -> None:
        session = self.executor.session("main")
        if session.in_transaction:
            session.run([Message("ROLLBACK", 1)])
        self.recorder.undone()

    def _logged(self, step: Step, result: CellResult, attempts: int, hidden: str) -> None:
        self.log.write(
            "step",
            phase=step.cell.phase,
            line=step.cell.line,
            cell=step.cell.digest,
            status="unseen" if hidden else result.status,
            unseen=hidden or None,
            seconds=round(result.seconds, 3),
            attempts=attempts,
            in_transaction=self._in_transaction(),
            sqlstate=(result.failure.sqlstate or None) if result.failure else None,
        )
