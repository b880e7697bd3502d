"""Carries out one step after another on a real database: ask, send, try again, check, log."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from pgrehearse.errors import ExpectationError, SetupError
from pgrehearse.execution.backoff import AGAIN, LOCK_NOT_AVAILABLE, Backoff
from pgrehearse.execution.executor import Executor
from pgrehearse.execution.results import CellResult
from pgrehearse.execution.runbook.reporter import Reporter
from pgrehearse.execution.runbook.run_log import RunLog
from pgrehearse.execution.runbook.steps import Step
from pgrehearse.execution.session import Message, Session
from pgrehearse.findings import indented
from pgrehearse.text import variables
from pgrehearse.text.document import LOOKING, Cell, Document

__all__ = ["Operator"]


class Operator:
    """Carries out steps through ``executor``, tells and asks ``reporter``, and writes down what it did."""

    def __init__(
        self, document: Document, executor: Executor, log: RunLog, backoff: Backoff, reporter: Reporter
    ) -> None:
        self.document = document
        self.executor = executor
        self.log = log
        self.backoff = backoff
        self.reporter = reporter

    def limit_lock_waits(self, lock_timeout: str) -> None:
        """Set lock_timeout before the first step, for SQL and Python; a step may set its own.

        The server also looks every second whether this process is still there: the statement of a run
        that was killed must not go on beside the run that resumes it.
        """
        literal = variables.quote_literal(lock_timeout)
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

    def carry_out(self, step: Step, *, done: bool) -> bool:
        """Tell a step, ask, run and check it. ``done``: an earlier run did it, so only settings are repeated.

        Returns False when the answer is no. Raises ExpectationError when anything is not as the runbook says.
        """
        if done and not step.only_of_the_session:
            self.reporter.done_earlier(step)
            return True
        if step.cell.phase in LOOKING:
            self.finish()  # a check has a transaction of its own
        self.reporter.step(step)
        if not done and not self.reporter.asks(step):
            return False
        result, attempts = self._attempt(step)
        self._logged(step, result, attempts)
        if result.output:
            self.reporter.output(step, result.output)
        if result.failure is not None:
            detail = f"\n{indented(result.failure.detail)}" if result.failure.detail else ""
            raise ExpectationError(
                f"{step.label}: {result.failure.message}{detail}",
                path=self.document.path,
                line=result.failure.line,
                next_step=_after(step, result),
            )
        if result.status == "skipped":
            self.reporter.skipped(step, result.reason)
        return True

    def _attempt(self, step: Step) -> tuple[CellResult, int]:
        """Run the cell; a step that does not get its lock is rolled back and tried again, with pauses.

        Not inside the transaction of an earlier step: the rollback would undo that one too. Nor what works
        step by step: it leaves an INVALID index, and the second attempt would find it.
        """
        alone = not self._in_transaction()
        for attempt in count(1):
            result = self._run(step.cell)
            sqlstate = result.failure.sqlstate if result.failure else ""
            if sqlstate not in AGAIN or not alone or step.concurrent(result.generated):
                break
            self._roll_back(step.cell)
            pause = self.backoff.pause(attempt, sqlstate)
            if pause is None:
                break
            self.reporter.pauses(step, pause)
            self.backoff.sleep(pause.seconds)
        return result, attempt

    def _run(self, cell: Cell) -> CellResult:
        results = self.executor.run(cell)
        return next(result for result in results if result.cell is cell)

    def _roll_back(self, cell: Cell) -> None:
        session = self.executor.session(cell.options.session)
        if session.in_transaction:
            self._run(replace(cell, source="ROLLBACK", expected=None))

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
    if step.cell.phase == "Preflight":
        return "nothing was changed; resolve what the check names, then run again"
    if step.concurrent(result.generated):
        return "an INVALID index may be left; run again from the top with --from-top, it looks for remains"
    if result.failure and result.failure.sqlstate == LOCK_NOT_AVAILABLE:
        return "find who holds the lock, then run again: done steps are not repeated"
    return "look at the database, then run again: done steps are not repeated; or --phase roll-back"
