"""Carries out the up or the down part of one migration, and resumes it where it was interrupted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import psycopg

from pgrehearse.errors import ExpectationError, PgRehearseError, first_line
from pgrehearse.execution.backoff import LOCK_NOT_AVAILABLE, Backoff
from pgrehearse.migration.runner import exclusive, leftovers
from pgrehearse.migration.runner.carry_out import carry_out
from pgrehearse.migration.runner.ledger import Cost, Ledger
from pgrehearse.migration.runner.watch import Watch
from pgrehearse.text.concurrent import concurrent
from pgrehearse.text.migration_files import Migration, statements
from pgrehearse.text.migration_grammar import Section
from pgrehearse.text.passwords import redacted
from pgrehearse.text.split import Statement
from pgrehearse.text.statement import classify

__all__ = ["Runner", "statements"]

#: SQLSTATEs by which a statement says that it wants no transaction around it: VACUUM, a COMMIT inside DO.
_NO_TRANSACTION = ("25001", "2D000")


@dataclass
class Runner:
    """Carries out sections on one connection.

    Args:
        connection: direct, locked, in autocommit mode.
        lock_timeout: in PostgreSQL's notation; a concurrent build waits as long as it takes.
        backoff: tries of what does not get its locks.
        tell: called with lines for people.
    """

    connection: psycopg.Connection[Any]
    ledger: Ledger
    watch: Watch
    lock_timeout: str
    backoff: Backoff
    tell: Callable[[str], None]

    def run(self, migration: Migration, direction: str) -> list[Cost]:
        """Apply or undo ``migration``. Raises ExpectationError: a statement failed, what is left is said."""
        section = migration.up if direction == "up" else migration.down
        assert section is not None
        todo = statements(migration, section)
        exclusive.reset(self.connection)
        earlier = self._earlier(migration, section, direction, todo)
        attempt = self.ledger.begin(migration, direction)
        work = _Work(self, migration, section, direction, attempt, todo, earlier)
        try:
            if section.transaction:
                work.one_transaction()
            else:
                work.step_by_step()
        except psycopg.Error as error:
            raise work.failed(error) from None
        except PgRehearseError as error:
            work.record("failed", error.message)
            raise
        except KeyboardInterrupt:
            work.record("interrupted", "by the operator")
            raise
        return [cost for _, cost in sorted(work.costs.items())]

    def _earlier(
        self, migration: Migration, section: Section, direction: str, todo: Sequence[Statement]
    ) -> _Earlier:
        """What unfinished attempts did and began; nothing of a section in one transaction."""
        earlier = _Earlier()
        if section.transaction:
            return earlier
        for attempt in self.ledger.unfinished(migration, direction):
            for cost in attempt.statements:
                (earlier.done if cost.outcome == "done" else earlier.begun)[cost.number] = cost
        for number, cost in earlier.done.items():
            if number > len(todo) or redacted(todo[number - 1].sql) != cost.sql:
                raise ExpectationError(
                    f"refused: an interrupted run did statement {number}, and the file has another now",
                    path=migration.path,
                    line=cost.line,
                    next_step=f"put it back: {' '.join(cost.sql.split())[:100]}",
                )
        return earlier


@dataclass(frozen=True)
class _Earlier:
    """Statements by number: ``done``, and ``begun`` without an end that is known."""

    done: dict[int, Cost] = field(default_factory=dict)
    begun: dict[int, Cost] = field(default_factory=dict)


@dataclass
class _Work:
    """One attempt at one section. ``costs`` are those of the statements so far, by number."""

    runner: Runner
    migration: Migration
    section: Section
    direction: str
    attempt: int
    todo: Sequence[Statement]
    earlier: _Earlier
    costs: dict[int, Cost] = field(default_factory=dict)
    tries: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    waited: dict[int, float] = field(default_factory=lambda: defaultdict(float))

    def __post_init__(self) -> None:
        self.connection = self.runner.connection
        self.ledger = self.runner.ledger

    def one_transaction(self) -> None:
        """The whole section and its record in one transaction, tried again when it gets no lock."""

        def body() -> None:
            self.costs.clear()
            for number, statement in enumerate(self.todo, 1):
                self._run(statement, number)
            self.ledger.end(self.attempt, self.migration, self.direction, *self.costs.values())

        self._transaction(body)

    def step_by_step(self) -> None:
        """Each statement by itself: with its record in one transaction where PostgreSQL allows that."""
        for number, statement in enumerate(self.todo, 1):
            if classify(statement).of_the_session:
                self._run(statement, number)
                self.ledger.note(self.attempt, self.costs[number])
            elif number in self.earlier.done:
                self.runner.tell(f"statement {number} was done before")
                self.costs[number] = self.earlier.done[number]
                self.ledger.note(self.attempt, self.costs[number])
            elif classify(statement).alone:
                self._alone(statement, number)
            else:
                self._together(statement, number)
        self.ledger.end(self.attempt, self.migration, self.direction)

    def failed(self, error: psycopg.Error) -> ExpectationError:
        """Record the failure, and say what it leaves behind."""
        said = str(error).strip().splitlines()
        reason = f"{said[0] if said else type(error).__name__} ({error.sqlstate or 'connection lost'})"
        failing = next((number for number, cost in self.costs.items() if cost.outcome == "failed"), None)
        if failing is not None:
            reason = redacted(self.todo[failing - 1].sql, reason)
        self.record("failed", reason)
        return ExpectationError(
            f"{self.migration.path.stem} ({self.direction}) failed: {reason}",
            path=self.migration.path,
            line=self._line(self.todo[failing - 1]) if failing else self.section.line,
            next_step=self._left(error),
        )

    def record(self, outcome: str, reason: str) -> None:
        """The attempt ends here, unless the connection is gone; the next run sees to that."""
        if self.connection.closed:
            return
        try:
            exclusive.reset(self.connection)
            costs = list(self.costs.values())
            if self.section.transaction:
                costs = [replace(c, outcome="rolled back") if c.outcome == "done" else c for c in costs]
            self.ledger.fail(self.attempt, outcome, reason, costs)
        except psycopg.OperationalError:
            self.connection.close()

    def _left(self, error: psycopg.Error) -> str:
        if self.connection.closed:
            return "when the server is there again, run this again: it looks for what was done"
        if self.section.transaction:
            mend = "write transaction:false for its COMMIT" if error.sqlstate == "2D000" else "mend the cause"
            return f"nothing of it is applied; {mend} and run it again"
        done = sum(cost.outcome == "done" for cost in self.costs.values())
        return f"{done} of {len(self.todo)} statements are done; mend the cause, then run it again"

    def _together(self, statement: Statement, number: int) -> None:
        """The statement and its record in one transaction; by itself if it says that it wants none."""

        def body() -> None:
            self._run(statement, number)
            self.ledger.note(self.attempt, self.costs[number])

        try:
            self._transaction(body)
        except psycopg.Error as error:
            if error.sqlstate not in _NO_TRANSACTION:
                raise
            self._alone(statement, number)

    def _alone(self, statement: Statement, number: int) -> None:
        """A statement that commits before it can be recorded: what was begun is recorded first."""
        line, sql = self._line(statement), redacted(statement.sql)
        begun = [cost.sql for cost in (self.earlier.begun.get(number),) if cost]

        def body() -> None:
            way = leftovers.Clearing(self.connection, self.migration.path, line, self.runner.tell)
            if way.done_or_clear(statement.sql, begun):
                self.runner.tell(f"statement {number} was finished after the interruption")
                self.costs[number] = Cost(number, line, sql, "done")
            else:
                self.ledger.note(self.attempt, Cost(number, line, sql, "running"))
                begun.append(sql)
                with self._patience(statement):
                    self._run(statement, number)
            self.ledger.note(self.attempt, self.costs[number])

        self._patiently(body)

    def _run(self, statement: Statement, number: int) -> None:
        self.tries[number] += 1

        def keep(cost: Cost) -> None:
            self.waited[number] += cost.lock_wait_ms or 0.0
            total = self.waited[number] if cost.lock_wait_ms is not None else None
            self.costs[number] = replace(cost, tries=self.tries[number], lock_wait_ms=total)

        line = self._line(statement)
        keep(carry_out(self.connection, self.runner.watch, statement, number, line, failed=keep))

    @contextmanager
    def _patience(self, statement: Statement) -> Iterator[None]:
        """Concurrent work waits as long as it takes: others go on. For all else the file's limit, or ours."""
        row = self.connection.execute("SELECT current_setting('lock_timeout') = '0'").fetchone()
        if concurrent(statement.sql) is not None or row is None or not row[0]:
            yield
            return
        limit = "SELECT set_config('lock_timeout', %s, false)"
        self.connection.execute(limit, [self.runner.lock_timeout])
        try:
            yield
        finally:
            if not self.connection.closed:
                self.connection.execute(limit, ["0"])

    def _transaction(self, body: Callable[[], None]) -> None:
        def whole() -> None:
            with self.connection.transaction():
                self.connection.execute(
                    "SELECT set_config('lock_timeout', %s, true)", [self.runner.lock_timeout]
                )
                body()

        self._patiently(whole)

    def _patiently(self, body: Callable[[], None]) -> None:
        """``body``, and again after a pause while it gets no lock."""
        for number in count(1):
            try:
                body()
                return
            except psycopg.Error as error:
                pause = self.runner.backoff.pause(number, error.sqlstate)
                if pause is None:
                    raise
                self.runner.tell(
                    f"{_why(error, self.runner.lock_timeout)} ({pause.sqlstate});"
                    f" try {pause.number} of {pause.of} in {pause.seconds:g} s"
                )
                self.runner.backoff.sleep(pause.seconds)

    def _line(self, statement: Statement) -> int:
        return self.section.line + statement.line - 1


def _why(error: psycopg.Error, lock_timeout: str) -> str:
    if error.sqlstate == LOCK_NOT_AVAILABLE:
        return f"no lock within {lock_timeout}, nothing is changed"
    return first_line(error)
