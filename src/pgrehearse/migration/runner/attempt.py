"""One attempt at one section, whatever way it is carried out: how it ends, and what is said of that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from pgrehearse.connections import NOT_TEXT, NOT_TEXT_NEXT, holds_other_text
from pgrehearse.errors import ExpectationError, PgRehearseError, SetupError, first_line
from pgrehearse.execution.backoff import Backoff
from pgrehearse.migration.runner import exclusive
from pgrehearse.migration.runner.ledger import Ledger
from pgrehearse.migration.runner.ledger_rows import RecordedStatements
from pgrehearse.migration.runner.notices import Notices
from pgrehearse.migration.runner.transaction import Transactions
from pgrehearse.migration.runner.watched_statements import StatementWatch
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.migration_grammar import Section
from pgrehearse.text.passwords import redacted
from pgrehearse.text.split import Statement
from pgrehearse.troubles import installed

__all__ = ["Attempt", "Link"]


@dataclass(frozen=True)
class Link:
    """The connection that does the work, and what goes with it.

    Args:
        connection: direct, locked, in autocommit mode.
        conninfo: of the same database.
        lock_timeout: in PostgreSQL's notation; a concurrent build waits as long as it takes.
        backoff: tries of what does not get its locks.
        tell: called with lines for people.
        withdrawn: what was `ledger_rows.Known.withdrawn` when the lock was taken.
    """

    connection: psycopg.Connection[Any]
    conninfo: str
    ledger: Ledger
    watch: StatementWatch
    notices: Notices
    lock_timeout: str
    backoff: Backoff
    tell: Callable[[str], None]
    withdrawn: frozenset[str]


@dataclass
class Attempt(ABC):
    """One attempt at ``section``, recorded as ``attempt``.

    Attributes:
        failing: the statement that failed, if one did.
        rewritten: tables that got a new file.
        wal_bytes: what the whole server wrote to its log while the statements ran.
    """

    link: Link
    migration: Migration
    section: Section
    direction: str
    attempt: int
    failing: Statement | None = field(default=None, init=False)
    rewritten: set[str] = field(default_factory=set, init=False)
    wal_bytes: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        link = self.link
        self.connection = link.connection
        self.ledger = link.ledger
        self.transactions = Transactions(
            link.connection, link.conninfo, link.lock_timeout, link.backoff, link.tell
        )

    @abstractmethod
    def run(self) -> None:
        """Carry the section out, and record that. Raises psycopg.Error, PgRehearseError."""

    @abstractmethod
    def close(self) -> None:
        """Give up what it holds; nothing is asked of it after that."""

    @abstractmethod
    def unfinished(self) -> RecordedStatements:
        """The statements that are to be recorded when it fails: none of them is done."""

    @abstractmethod
    def left(self, error: psycopg.Error) -> str:
        """What a failure leaves, and what to do, while the connection is there."""

    def end(self, costs: RecordedStatements) -> None:
        """Record the end. Raises SetupError: the migration took others out of the ledger."""
        now = self.ledger.end(self.attempt, self.migration, self.direction, costs)
        if lost := now - self.link.withdrawn:
            raise SetupError(
                f"refused: this migration takes {', '.join(sorted(lost))} out of public.schema_migrations",
                path=self.migration.path,
                next_step="leave the ledger alone: those would be applied a second time",
            )

    def ended(self, other: psycopg.Connection[Any]) -> bool:
        """Whether ``other`` sees the end recorded."""
        return Ledger(other).is_done(self.attempt)

    def failed(self, error: psycopg.Error) -> ExpectationError:
        """Record the failure, and say what it leaves behind."""
        said = str(error).strip().splitlines()
        reason = f"{said[0] if said else type(error).__name__} ({error.sqlstate or 'connection lost'})"
        if self.failing is not None:
            reason = redacted(self.failing.sql, reason)
        self.record("failed", reason)
        if holds_other_text(self.connection, error):  # whichever statement was the next to look at it
            return ExpectationError(
                f"{self.migration.path.stem} ({self.direction}) failed here, {NOT_TEXT}: {reason}",
                path=self.migration.path,
                next_step=f"{NOT_TEXT_NEXT}; {self.left(error)}",
            )
        return ExpectationError(
            f"{self.migration.path.stem} ({self.direction}) failed: {reason}",
            path=self.migration.path,
            line=self.line(self.failing) if self.failing else self.section.line,
            next_step="when the server is there again, run this again: it looks for what was done"
            if self.connection.closed
            else installed(reason, self.left(error)),
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
        try:
            exclusive.reset(self.connection)
            self.ledger.fail(self.attempt, outcome, reason, self.unfinished())
        except psycopg.OperationalError:
            self.connection.close()
        except psycopg.Error as problem:
            self.link.tell(f"not recorded in the ledger: {first_line(problem)}")

    def unreadable(self, line: int, found: str) -> ExpectationError:
        """What to raise when the statement on ``line`` of the section makes the server read otherwise."""
        return ExpectationError(
            f"{self.migration.path.stem} ({self.direction}): with this {found}, and what follows would be"
            " read differently from the file",
            path=self.migration.path,
            line=self.section.line + line - 1,
            next_step="leave the setting out: files are UTF-8, and '...' holds backslashes as they are",
        )

    def place(self, line: int) -> str:
        """File and line, as in messages, of what is on ``line`` of the section."""
        return f"{self.migration.path.name}:{self.section.line + line - 1}:"

    def line(self, statement: Statement) -> int:
        """The line of the file on which ``statement`` begins."""
        return self.section.line + statement.line - 1
