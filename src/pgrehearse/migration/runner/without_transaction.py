"""A section without a transaction: each statement by itself, resumed where an earlier attempt stopped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import psycopg
from psycopg.sql import SQL, Literal

from pgrehearse.errors import SetupError
from pgrehearse.execution.session_only import reads_nothing
from pgrehearse.migration.runner import exclusive, leftovers, unseen
from pgrehearse.migration.runner.attempt import Attempt
from pgrehearse.migration.runner.carry_out import carry_out
from pgrehearse.migration.runner.ledger import Ledger
from pgrehearse.migration.runner.ledger_rows import Cost, RecordedStatements
from pgrehearse.text.concurrent import concurrent
from pgrehearse.text.passwords import redacted
from pgrehearse.text.split import Statement
from pgrehearse.text.statement import classify

__all__ = ["Earlier", "Steps"]

#: SQLSTATEs by which a statement says that it wants no transaction around it: VACUUM, a COMMIT inside DO.
_NO_TRANSACTION = ("25001", "2D000")
#: Statements that are never refused a transaction; such an SQLSTATE comes from a function they call.
_WITHIN = ("delete", "insert", "merge", "select", "table", "update", "values", "with")


@dataclass(frozen=True)
class Earlier:
    """Statements by number: ``done``, and ``begun`` without an end that is known."""

    done: dict[int, Cost] = field(default_factory=dict)
    begun: dict[int, Cost] = field(default_factory=dict)


@dataclass
class Steps(Attempt):
    """``costs`` are those of the statements so far, by number.

    Attributes:
        done: statements whose record is committed.
        alone: those that committed, and whose record is not.
    """

    todo: Sequence[Statement]
    earlier: Earlier
    costs: dict[int, Cost] = field(default_factory=dict, init=False)
    tries: dict[int, int] = field(default_factory=lambda: defaultdict(int), init=False)
    waited: dict[int, float] = field(default_factory=lambda: defaultdict(float), init=False)
    done: set[int] = field(default_factory=set, init=False)
    alone: set[int] = field(default_factory=set, init=False)

    def run(self) -> None:
        """Each with its record in one transaction where PostgreSQL allows that."""
        for number, statement in enumerate(self.todo, 1):
            kind = classify(statement)
            if number in self.earlier.done and not kind.of_the_session:
                self.link.tell(f"statement {number} was done before")
                self.costs[number] = self.earlier.done[number]
                self.ledger.note(self.attempt, self.costs[number])
            elif kind.of_the_session:
                self._together(statement, number, reads_nothing(kind))
                self._exclusive(statement)
            else:
                send = self._alone if kind.alone else self._together
                followed = number < len(self.todo)
                path = self.migration.path
                with unseen.noticed(self.connection, path, self.section, statement, followed=followed):
                    send(statement, number)
                    self.done.add(number)
            self.done.add(number)
        self.wal_bytes = sum(cost.wal_bytes or 0 for cost in self.costs.values())
        self.transactions.whole(
            self.migration.path.stem,
            lambda: None,
            lambda: self.end(RecordedStatements()),
            self.ended,
        )

    def close(self) -> None:
        """It holds nothing."""

    def unfinished(self) -> RecordedStatements:
        return RecordedStatements(
            [
                replace(cost, outcome="rolled back") if cost.outcome == "done" else cost
                for number, cost in self.costs.items()
                if number not in self.done and number not in self.alone
            ]
        )

    def left(self, error: psycopg.Error) -> str:
        return f"{len(self.done)} of {len(self.todo)} statements are done; mend the cause, then run it again"

    def _together(self, statement: Statement, number: int, check: str = "") -> None:
        """The statement and its record in one transaction; by itself if it says that it wants none.

        ``check`` raises an error right after the statement when it may not be committed.
        """
        refused = False

        def work() -> None:
            nonlocal refused
            try:
                self._run(statement, number)
            except psycopg.Error as error:
                refused = error.sqlstate in _NO_TRANSACTION and classify(statement).verb not in _WITHIN
                raise
            if check:
                self.connection.execute(check.encode())

        try:
            self.transactions.whole(
                f"statement {number} of {self.migration.path.stem}",
                work,
                lambda: self.ledger.note(self.attempt, self.costs[number]),
                lambda other: Ledger(other).is_done(self.attempt, number),
            )
        except psycopg.Error as error:
            if not refused:
                cost = self.costs.get(number)  # None: the connection was gone before it was sent
                if cost is not None and cost.outcome == "done":  # its COMMIT was refused
                    self.failing = statement
                    self.costs[number] = replace(cost, outcome="failed")
                raise error
            self._alone(statement, number)

    def _alone(self, statement: Statement, number: int) -> None:
        """A statement that commits before it can be recorded: what was begun is recorded first."""
        line, sql = self.line(statement), redacted(statement.sql)
        begun = [cost.sql for cost in (self.earlier.begun.get(number),) if cost]

        def body() -> None:
            way = leftovers.Clearing(self.connection, self.migration.path, line, self.link.tell)
            if way.done_or_clear(statement.sql, begun):
                self.link.tell(f"statement {number} was finished after the interruption")
                self.costs[number] = Cost(number, line, sql, "done")
            else:
                self.ledger.note(self.attempt, Cost(number, line, sql, "running"))
                begun.append(sql)
                with self._patience(statement):
                    self._run(statement, number)
                self.alone.add(number)  # until its record is written
                self._exclusive(statement)
            self.ledger.note(self.attempt, self.costs[number])
            self.alone.discard(number)

        self.transactions.patiently(body)

    def _exclusive(self, statement: Statement) -> None:
        """Nobody else was at work, although ``statement`` could give up the lock. Raises SetupError."""
        if exclusive.locked_still(self.connection):
            return
        if not self.ledger.is_running(self.attempt):
            raise SetupError(
                "refused: this statement gave up the lock that keeps a second runner away, and one was at"
                " work meanwhile",
                path=self.migration.path,
                line=self.line(statement),
                next_step="take pg_advisory_unlock_all() out of what it calls, then look with pgrehearse db"
                " status what both did",
            )
        self.link.tell("a statement gave up the lock against a second runner; taken again in time")

    def _run(self, statement: Statement, number: int) -> None:
        self.tries[number] += 1
        self.failing = None

        def keep(cost: Cost) -> None:
            self.waited[number] += cost.lock_wait_ms or 0.0
            total = self.waited[number] if cost.lock_wait_ms is not None else None
            self.costs[number] = replace(cost, tries=self.tries[number], lock_wait_ms=total)
            self.failing = statement if cost.outcome == "failed" else None
            self.rewritten.update(cost.rewritten)

        line, notices = self.line(statement), self.link.notices
        notices.place = lambda: self.place(statement.line)
        try:
            keep(carry_out(self.connection, self.link.watch, statement, number, line, failed=keep))
        finally:
            notices.place = None
        if found := exclusive.unreadable(self.connection):
            self.costs[number] = replace(self.costs[number], outcome="failed")
            self.failing = statement
            raise self.unreadable(statement.line, found)

    @contextmanager
    def _patience(self, statement: Statement) -> Iterator[None]:
        """Concurrent work waits as long as it takes: others go on. For all else the file's limit, or ours."""
        row = self.connection.execute("SHOW lock_timeout").fetchone()
        if concurrent(statement.sql) is not None or row is None or row[0] != "0":
            yield
            return
        limit = SQL("SET lock_timeout = {}")
        self.connection.execute(limit.format(Literal(self.link.lock_timeout)))
        try:
            yield
        finally:
            if not self.connection.closed:
                self.connection.execute(limit.format(Literal("0")))
