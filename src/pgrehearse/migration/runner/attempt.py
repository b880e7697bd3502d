"""One attempt at one section: its statements are carried out, and recorded as they are committed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from psycopg.sql import SQL, Literal

from pgrehearse.errors import ExpectationError, PgRehearseError, SetupError, first_line
from pgrehearse.execution.backoff import Backoff
from pgrehearse.execution.session_only import reads_nothing
from pgrehearse.migration.runner import exclusive, leftovers, unseen
from pgrehearse.migration.runner.carry_out import carry_out
from pgrehearse.migration.runner.ledger import Cost, Ledger
from pgrehearse.migration.runner.transaction import Transactions
from pgrehearse.migration.runner.watch import Watch
from pgrehearse.text.concurrent import concurrent
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.migration_grammar import Section
from pgrehearse.text.passwords import redacted
from pgrehearse.text.split import Statement
from pgrehearse.text.statement import classify

__all__ = ["Earlier", "Link", "Work"]

#: SQLSTATEs by which a statement says that it wants no transaction around it: VACUUM, a COMMIT inside DO.
_NO_TRANSACTION = ("25001", "2D000")
#: Statements that are never refused a transaction; such an SQLSTATE comes from a function they call.
_WITHIN = ("delete", "insert", "merge", "select", "table", "update", "values", "with")


@dataclass(frozen=True)
class Link:
    """The connection that does the work, and what goes with it.

    Args:
        connection: direct, locked, in autocommit mode.
        conninfo: of the same database.
        lock_timeout: in PostgreSQL's notation; a concurrent build waits as long as it takes.
        backoff: tries of what does not get its locks.
        tell: called with lines for people.
    """

    connection: psycopg.Connection[Any]
    conninfo: str
    ledger: Ledger
    watch: Watch
    lock_timeout: str
    backoff: Backoff
    tell: Callable[[str], None]


@dataclass(frozen=True)
class Earlier:
    """Statements by number: ``done``, and ``begun`` without an end that is known."""

    done: dict[int, Cost] = field(default_factory=dict)
    begun: dict[int, Cost] = field(default_factory=dict)


@dataclass
class Work:
    """One attempt at one section. ``costs`` are those of the statements so far, by number."""

    link: Link
    migration: Migration
    section: Section
    direction: str
    attempt: int
    todo: Sequence[Statement]
    earlier: Earlier
    costs: dict[int, Cost] = field(default_factory=dict)
    tries: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    waited: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    #: statements whose record is committed, and those that committed without it so far
    done: set[int] = field(default_factory=set)
    alone: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.connection = self.link.connection
        self.ledger = self.link.ledger
        link = self.link
        self.withdrawn = self.ledger.withdrawn()
        self.transactions = Transactions(
            link.connection, link.conninfo, link.lock_timeout, link.backoff, link.tell
        )

    def one_transaction(self) -> None:
        """The whole section and its record in one transaction, tried again when it gets no lock."""

        def work() -> None:
            self.costs.clear()
            for number, statement in enumerate(self.todo, 1):
                self._run(statement, number)

        def record() -> None:
            self._end(*self.costs.values())

        self.transactions.whole(
            self.migration.path.stem, work, record, lambda other: Ledger(other).is_done(self.attempt)
        )
        self.done.update(self.costs)

    def step_by_step(self) -> None:
        """Each statement by itself: with its record in one transaction where PostgreSQL allows that."""
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
        self.transactions.whole(
            self.migration.path.stem,
            lambda: None,
            self._end,
            lambda other: Ledger(other).is_done(self.attempt),
        )

    def _end(self, *costs: Cost) -> None:
        """Record the end. Raises SetupError: the migration took others out of the ledger."""
        self.ledger.end(self.attempt, self.migration, self.direction, *costs)
        lost = self.ledger.withdrawn() - self.withdrawn
        if lost:
            raise SetupError(
                f"refused: this migration takes {', '.join(sorted(lost))} out of public.schema_migrations",
                path=self.migration.path,
                next_step="leave the ledger alone: those would be applied a second time",
            )

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

    def placed(self, error: PgRehearseError) -> PgRehearseError:
        """``error`` with the file it came from: what became of the ledger is this migration's doing."""
        if error.path is not None or not isinstance(error, SetupError):
            return error
        return SetupError(error.message, path=self.migration.path, next_step=error.next_step)

    def record(self, outcome: str, reason: str) -> None:
        """The attempt ends here, unless the connection is gone; the next run sees to that.

        Nothing becomes done by this: what is done was recorded as such in its own transaction.
        """
        if self.connection.closed:
            return
        costs = [
            replace(cost, outcome="rolled back") if cost.outcome == "done" else cost
            for number, cost in self.costs.items()
            if number not in self.done and number not in self.alone
        ]
        try:
            exclusive.reset(self.connection)
            self.ledger.fail(self.attempt, outcome, reason, costs)
        except psycopg.OperationalError:
            self.connection.close()
        except psycopg.Error as problem:
            self.link.tell(f"not recorded in the ledger: {first_line(problem)}")

    def _left(self, error: psycopg.Error) -> str:
        if self.connection.closed:
            return "when the server is there again, run this again: it looks for what was done"
        if self.section.transaction:
            mend = "write transaction:false for its COMMIT" if error.sqlstate == "2D000" else "mend the cause"
            return f"nothing of it is applied; {mend} and run it again"
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
                    self.costs[number] = replace(cost, outcome="failed")
                raise error
            self._alone(statement, number)

    def _alone(self, statement: Statement, number: int) -> None:
        """A statement that commits before it can be recorded: what was begun is recorded first."""
        line, sql = self._line(statement), redacted(statement.sql)
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
                line=self._line(statement),
                next_step="take pg_advisory_unlock_all() out of what it calls, then look with pgrehearse db"
                " status what both did",
            )
        self.link.tell("a statement gave up the lock against a second runner; taken again in time")

    def _run(self, statement: Statement, number: int) -> None:
        self.tries[number] += 1

        def keep(cost: Cost) -> None:
            self.waited[number] += cost.lock_wait_ms or 0.0
            total = self.waited[number] if cost.lock_wait_ms is not None else None
            self.costs[number] = replace(cost, tries=self.tries[number], lock_wait_ms=total)

        line = self._line(statement)
        keep(carry_out(self.connection, self.link.watch, statement, number, line, failed=keep))
        if found := exclusive.unreadable(self.connection):
            self.costs[number] = replace(self.costs[number], outcome="failed")
            raise ExpectationError(
                f"{self.migration.path.stem} ({self.direction}): with this {found}, and what follows would be"
                " read differently from the file",
                path=self.migration.path,
                line=line,
                next_step="leave the setting out: files are UTF-8, and '...' holds backslashes as they are",
            )

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

    def _line(self, statement: Statement) -> int:
        return self.section.line + statement.line - 1
