"""Carries out the up or the down part of one migration, and resumes it where it was interrupted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from pgrehearse.errors import DocumentError, ExpectationError
from pgrehearse.migration import session
from pgrehearse.migration.ledger import Cost, Ledger
from pgrehearse.migration.statement import built_index, carry_out, code, of_the_session, remains, stands_alone
from pgrehearse.migration.watch import Watch
from pgrehearse.text.migrations import Migration, Section
from pgrehearse.text.split import SplitError, Statement, split

__all__ = ["Runner", "statements"]

#: SQLSTATEs after which the same transaction may succeed: lock_timeout, deadlock, serialization.
_AGAIN = ("55P03", "40P01", "40001")
#: Seconds before the second, third, ... try.
_BACKOFF = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_CONTROL = ("begin", "start transaction", "commit", "end", "rollback", "abort")


def statements(migration: Migration, section: Section) -> list[Statement]:
    """The statements of a section. Raises DocumentError for what a runner cannot send or record."""
    try:
        found = split(section.sql)
    except SplitError as error:
        line = section.line + error.line - 1
        raise DocumentError(error.message, path=migration.path, line=line, next_step=error.fix) from None
    for statement in found:
        problem = _problem(statement, section)
        if problem:
            line = section.line + statement.line - 1
            raise DocumentError(problem[0], path=migration.path, line=line, next_step=problem[1])
    return found


def _problem(statement: Statement, section: Section) -> tuple[str, str] | None:
    text = code(statement.sql)
    if statement.gexec:
        return "\\gexec is a command of psql", "write the statement itself"
    if any(text == word or text.startswith(word + " ") for word in _CONTROL):
        return f"{text.split()[0].upper()}: the runner begins and ends transactions", "remove the line"
    if stands_alone(statement.sql):
        if section.transaction and not text.startswith(("do ", "call ")):
            return (
                "this statement refuses a transaction, and the section is one",
                "write `transaction:false` after `-- migrate:up` (or down), and give it a file of its own",
            )
        if text.startswith(("create index conc", "create unique index conc")) and not built_index(
            statement.sql
        ):
            return (
                "this index has no name, so the remains of an interrupted build could not be told",
                "give it one",
            )
    return None


@dataclass
class Runner:
    """Carries out sections on one connection.

    Args:
        connection: direct, locked, in autocommit mode.
        lock_timeout: of transactions, in PostgreSQL's notation; a concurrent build waits as long as it takes.
        attempts: tries of a transaction that does not get its locks.
        tell: called with lines for people.
    """

    connection: psycopg.Connection[Any]
    ledger: Ledger
    watch: Watch
    lock_timeout: str
    attempts: int
    tell: Callable[[str], None]

    def run(self, migration: Migration, direction: str) -> list[Cost]:
        """Apply or undo ``migration``. Raises ExpectationError: a statement failed, what is left is said."""
        section = migration.up if direction == "up" else migration.down
        assert section is not None
        todo = statements(migration, section)
        session.reset(self.connection)
        earlier = self._done_before(migration, section, direction, todo)
        attempt = self.ledger.begin(migration, direction)
        work = _Work(self, migration, section, direction, attempt, todo)
        try:
            return work.one_transaction() if section.transaction else work.step_by_step(*earlier)
        except psycopg.Error as error:
            raise work.failed(error) from None
        except KeyboardInterrupt:
            work.interrupted()
            raise

    def _done_before(
        self, migration: Migration, section: Section, direction: str, todo: Sequence[Statement]
    ) -> tuple[dict[int, Cost], set[int]]:
        """What earlier attempts have done and what they began; nothing of a section in one transaction."""
        done: dict[int, Cost] = {}
        begun: set[int] = set()
        if section.transaction:
            return done, begun
        for attempt in self.ledger.unfinished(migration, direction):
            done |= {cost.number: cost for cost in attempt.statements if cost.outcome == "done"}
            begun |= {cost.number for cost in attempt.statements if cost.outcome != "done"}
        for number, cost in done.items():
            if number > len(todo) or todo[number - 1].sql != cost.sql:
                raise ExpectationError(
                    f"refused: an interrupted run did statement {number}, and the file has another now",
                    path=migration.path,
                    line=cost.line,
                    next_step=f"put it back: {' '.join(cost.sql.split())[:100]}",
                )
        return done, begun


@dataclass
class _Work:
    """One attempt at one section."""

    runner: Runner
    migration: Migration
    section: Section
    direction: str
    attempt: int
    todo: Sequence[Statement]

    def __post_init__(self) -> None:
        self.connection = self.runner.connection
        self.ledger = self.runner.ledger
        self.costs: list[Cost] = []

    def one_transaction(self) -> list[Cost]:
        """The whole section and its record in one transaction, tried again when it gets no lock."""

        def body() -> None:
            for number, statement in enumerate(self.todo, 1):
                self.costs.append(self._run(statement, number))
            for cost in self.costs:
                self.ledger.note(self.attempt, cost)
            self.ledger.end(self.attempt, self.migration, self.direction)

        self._transaction(body)
        return self.costs

    def step_by_step(self, done: dict[int, Cost], begun: set[int]) -> list[Cost]:
        """Each statement by itself: with its record in one transaction where PostgreSQL allows that."""
        for number, statement in enumerate(self.todo, 1):
            if number in done and not of_the_session(statement.sql):
                self.runner.tell(f"statement {number} was done before")
                self.ledger.note(self.attempt, done[number])
            elif of_the_session(statement.sql):
                self.connection.execute(statement.sql.encode())
                self.ledger.note(self.attempt, Cost(number, self._line(statement), statement.sql, "done"))
            elif stands_alone(statement.sql):
                self._alone(statement, number, resumed=number in begun)
            else:
                self._together(statement, number)
        with self.connection.transaction():
            self.ledger.end(self.attempt, self.migration, self.direction)
        return self.costs

    def failed(self, error: psycopg.Error) -> ExpectationError:
        """Record the failure, and say what it leaves behind."""
        said = str(error).strip().splitlines()
        reason = f"{said[0] if said else type(error).__name__} ({error.sqlstate or 'connection lost'})"
        failing = next((cost for cost in self.costs if cost.outcome == "failed"), None)
        if self.connection.closed:
            left = "the connection was lost; run it again: it looks for what was done"
        else:
            session.reset(self.connection)
            for cost in self.costs:
                undone = self.section.transaction and cost.outcome == "done"
                self.ledger.note(self.attempt, replace(cost, outcome="rolled back") if undone else cost)
            self.ledger.fail(self.attempt, reason)
            left = self._left()
        return ExpectationError(
            f"{self.migration.path.stem} ({self.direction}) failed: {reason}",
            path=self.migration.path,
            line=failing.line if failing else self.section.line,
            next_step=left,
        )

    def interrupted(self) -> None:
        """Ctrl-C: the statement was canceled, the attempt stays recorded."""
        if not self.connection.closed:
            session.reset(self.connection)
            self.ledger.fail(self.attempt, "interrupted by the operator")

    def _left(self) -> str:
        if self.section.transaction:
            return "nothing of it is applied; mend the cause and run it again"
        done = sum(cost.outcome == "done" for cost in self.costs)
        return f"{done} of {len(self.todo)} statements are done; mend the cause, then run it again"

    def _together(self, statement: Statement, number: int) -> None:
        def body() -> None:
            cost = self._run(statement, number)
            self.costs.append(cost)
            self.ledger.note(self.attempt, cost)

        self._transaction(body)

    def _alone(self, statement: Statement, number: int, *, resumed: bool) -> None:
        line = self._line(statement)
        if self._built_before(statement, line, resumed):
            cost = Cost(number, line, statement.sql, "done")
        else:
            self.ledger.note(self.attempt, Cost(number, line, statement.sql, "running"))
            cost = self._run(statement, number)
            self.costs.append(cost)
        self.ledger.note(self.attempt, cost)

    def _built_before(self, statement: Statement, line: int, resumed: bool) -> bool:
        """Whether an interrupted run built this index to its end; removes what a broken one left."""
        index = built_index(statement.sql)
        found = remains(self.connection, index) if index else None
        if index is None or found is None:
            return False
        if found.valid:
            if resumed:
                self.runner.tell(f"index {index.name} was finished after the interruption")
            return resumed
        if not resumed:
            raise ExpectationError(
                f"refused: an INVALID index {index.name} is in the way, and no migration here left it",
                path=self.migration.path,
                line=line,
                next_step=f"find out whose build it was, then: {found.drop.as_string(self.connection)};",
            )
        self.runner.tell(f"removing the INVALID index {index.name} that an interrupted build left")
        self.connection.execute(found.drop)
        return False

    def _run(self, statement: Statement, number: int) -> Cost:
        line = self._line(statement)
        return carry_out(
            self.connection, self.runner.watch, statement, number, line, failed=self.costs.append
        )

    def _transaction(self, body: Callable[[], None]) -> None:
        kept = list(self.costs)
        for number in range(1, self.runner.attempts + 1):
            self.costs[:] = kept
            try:
                with self.connection.transaction():
                    self.connection.execute(
                        "SELECT set_config('lock_timeout', %s, true)", [self.runner.lock_timeout]
                    )
                    body()
                return
            except psycopg.Error as error:
                if error.sqlstate not in _AGAIN or number == self.runner.attempts:
                    raise
                pause = _BACKOFF[min(number, len(_BACKOFF)) - 1]
                self.runner.tell(
                    f"no lock within {self.runner.lock_timeout} ({error.sqlstate}); nothing is changed,"
                    f" try {number + 1} of {self.runner.attempts} in {pause:g} s"
                )
                time.sleep(pause)

    def _line(self, statement: Statement) -> int:
        return self.section.line + statement.line - 1
