"""One run of a runbook on a real database: show, ask, run, check, stop at the first surprise."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace

import click

from pgrehearse.errors import ExpectationError, SetupError
from pgrehearse.execution.executor import Executor
from pgrehearse.execution.results import CellResult
from pgrehearse.execution.runbook.run_log import RunLog
from pgrehearse.execution.session import Message, Session
from pgrehearse.text import variables
from pgrehearse.text.document import Cell, Document
from pgrehearse.text.split import split

__all__ = ["Operator", "Step", "steps_of"]

LOCK_NOT_AVAILABLE = "55P03"
#: Seconds before the second, third, ... attempt of a step that did not get its lock.
_BACKOFF = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


@dataclass(frozen=True)
class Step:
    """One cell of a run: its place in its phase, and the heading it stands under."""

    cell: Cell
    number: int
    of: int
    heading: str

    @property
    def label(self) -> str:
        return f"{self.cell.phase} {self.number}/{self.of}" + (f": {self.heading}" if self.heading else "")


def steps_of(document: Document, phases: list[str]) -> list[Step]:
    """The cells of ``phases`` in that order."""
    found = []
    for phase in phases:
        cells = [cell for cell in document.cells if cell.phase == phase]
        for number, cell in enumerate(cells, 1):
            above = [h for h in document.headings if h.line < cell.line]
            heading = above[-1].title if above and above[-1].level > 2 else ""
            found.append(Step(cell, number, len(cells), heading))
    return found


def shown(cell: Cell, values: dict[str, str]) -> str:
    """The cell's text with parameters put in, as it will run."""
    return variables.substitute(cell.source, values) if cell.language == "sql" else cell.source


#: Statements whose effect ends with the session, at the start of a statement.
_OF_THE_SESSION = re.compile(
    r"set\b(?!\s+constraints)|reset\b|select\s+set_config\(|prepare\b(?!\s+transaction)|load\b"
    r"|create\s+(?:or\s+replace\s+)?(?:(?:local|global)\s+)?(?:temp\b|temporary\b|\w+\s+pg_temp\.)",
    re.I,
)


def only_of_the_session(cell: Cell) -> bool:
    """Whether the cell does nothing but SET or make temporary objects: a new session needs it again."""
    if cell.language != "sql":
        return False
    return all(_OF_THE_SESSION.match(statement.sql) for statement in split(cell.source))


def _retriable(cell: Cell) -> bool:
    """A failed lock wait leaves nothing behind, except in a concurrent build (an INVALID index)."""
    return cell.language == "sql" and not re.search(r"\bconcurrently\b", cell.source, re.I)


class Operator:
    """Carries out steps through ``executor``.

    Args:
        attempts: how often a step that does not get its lock is tried.
        confirm: ask before each step.
    """

    def __init__(
        self, document: Document, executor: Executor, log: RunLog, *, attempts: int, confirm: bool
    ) -> None:
        self.document = document
        self.executor = executor
        self.log = log
        self.attempts = attempts
        self.confirm = confirm

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
        """The end of the run. Raises ExpectationError for work that would be lost with the session."""
        if self._in_transaction():
            raise ExpectationError(
                "the runbook left its transaction open: what it did there is lost",
                path=self.document.path,
                next_step="end the transaction in a step of the runbook, then run again",
            )

    def _in_transaction(self) -> bool:
        return self.executor.session("main").in_transaction

    def carry_out(self, step: Step, *, done: bool) -> None:
        """Show a step, ask, run and check it. ``done``: an earlier run did it, so only settings are repeated.

        Raises ExpectationError when anything is not as the runbook says, Exit when the answer is no.
        """
        if done and not only_of_the_session(step.cell):
            click.echo(f"{step.label}  done in the earlier run")
            return
        click.echo(f"\n{click.style(step.label, bold=True)}  ({self.document.path.name}:{step.cell.line})")
        click.echo(_indented(shown(step.cell, self.executor.values)))
        if self.confirm and not done:
            self._ask(step)
        result, attempts = self._attempt(step)
        self._logged(step, result, attempts)
        if result.output:
            click.echo(_indented(result.output))
        if result.failure is not None:
            detail = f"\n{_indented(result.failure.detail)}" if result.failure.detail else ""
            error = result.failure.error(self.document)
            raise ExpectationError(
                f"{step.label}: {error.message}{detail}",
                path=error.path,
                line=error.line,
                next_step=_after(step, result),
            )
        if result.status == "skipped":
            click.echo(f"    skipped: {result.reason}")

    def _ask(self, step: Step) -> None:
        try:
            answer = click.confirm("  run this step?", default=False)
        except click.Abort as error:
            if isinstance(error.__context__, EOFError):
                raise SetupError(
                    "nobody answers: standard input is at its end",
                    next_step="run it in a terminal; --yes does not ask, where that is allowed",
                ) from None
            raise
        if not answer:
            click.echo("stopped before this step; run again to go on from here")
            raise click.exceptions.Exit(1)

    def _attempt(self, step: Step) -> tuple[CellResult, int]:
        """Run the cell; a step that does not get its lock is rolled back and tried again, with pauses.

        Not inside the transaction of an earlier step: the rollback would undo that one too.
        """
        alone = not self._in_transaction()
        for attempt in range(1, self.attempts + 1):
            result = self._run(step.cell)
            failure = result.failure
            if failure is None or failure.sqlstate != LOCK_NOT_AVAILABLE:
                return result, attempt
            if not alone or not _retriable(step.cell):
                return result, attempt
            self._roll_back(step.cell)
            if attempt < self.attempts:
                pause = _BACKOFF[min(attempt, len(_BACKOFF)) - 1]
                click.echo(f"  no lock within lock_timeout; attempt {attempt + 1} in {pause:g} s")
                time.sleep(pause)
        return result, self.attempts

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
            sqlstate=result.failure.sqlstate if result.failure else None,
        )


def _indented(text: str) -> str:
    return "\n".join("    " + line for line in text.split("\n"))


def _after(step: Step, result: CellResult) -> str:
    """What the operator does after a step that did not do what it should."""
    if step.cell.phase == "Preflight":
        return "nothing was changed; resolve what the check names, then run again"
    if re.search(r"\bconcurrently\b", step.cell.source, re.I):
        return "an INVALID index may be left; run again from the top with --from-top, it looks for remains"
    if result.failure and result.failure.sqlstate == LOCK_NOT_AVAILABLE:
        return "find who holds the lock, then run again: done steps are not repeated"
    return "look at the database, then run again: done steps are not repeated; or --phase roll-back"
