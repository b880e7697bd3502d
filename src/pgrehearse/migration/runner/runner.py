"""Applies pending migrations, or undoes applied ones, in order; one runner at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import Identifier

from pgrehearse.errors import SetupError, first_line
from pgrehearse.execution.backoff import Backoff
from pgrehearse.migration.runner import exclusive, versions
from pgrehearse.migration.runner.attempt import Link
from pgrehearse.migration.runner.ledger import Ledger
from pgrehearse.migration.runner.notices import Notices
from pgrehearse.migration.runner.section import Runner, SectionOutcome
from pgrehearse.migration.runner.versions import VersionState
from pgrehearse.migration.runner.watched_statements import StatementWatch
from pgrehearse.text.migration_files import Migration, statements

__all__ = ["DoneMigration", "RunnerOptions", "RunnerSession", "down", "up", "upward"]


@dataclass(frozen=True)
class RunnerOptions:
    """How patient a run is.

    Attributes:
        lock_timeout: how long a transaction waits for a lock, in PostgreSQL's notation.
        backoff: tries of a transaction that gets no lock.
        wait: seconds to wait for another runner.
    """

    lock_timeout: str = "2s"
    backoff: Backoff = field(default_factory=Backoff)
    wait: float = 60.0


@dataclass(frozen=True)
class DoneMigration:
    """A migration that was applied or undone, and what that took."""

    migration: Migration
    outcome: SectionOutcome


def _silent(line: str) -> None:
    pass


@dataclass(frozen=True)
class RunnerSession:
    """A runner at work in a database, whose lock it holds. ``states``: as they were when it got that lock."""

    states: Sequence[VersionState]
    _runner: Runner

    def adopt(self, migrations: Sequence[Migration]) -> None:
        """Take the hash of what another tool applied."""
        self._runner.ledger.adopt(migrations)

    def apply(self, migrations: Sequence[Migration]) -> Iterator[DoneMigration]:
        """Apply ``migrations``, which are pending; yields each when it is done. Raises as `up` does."""
        todo = [statements(migration, migration.up) for migration in migrations]  # before anything is done
        for migration, own in zip(migrations, todo, strict=True):
            yield DoneMigration(migration, self._runner.run(migration, "up", own))

    def undo(self, migrations: Sequence[Migration]) -> Iterator[DoneMigration]:
        """Undo ``migrations``, which are applied, the last first; as `apply`. Raises as `down` does."""
        todo = []
        for migration in migrations:
            if migration.down is None:
                raise SetupError(
                    "refused: this migration has no `-- migrate:down` part",
                    path=migration.path,
                    next_step="write one, even if it is only a comment that says why nothing can be undone",
                )
            todo.append((migration, statements(migration, migration.down)))
        for migration, own in reversed(todo):
            yield DoneMigration(migration, self._runner.run(migration, "down", own))


def up(
    conninfo: str,
    migrations: Sequence[Migration],
    *,
    to: str | None = None,
    options: RunnerOptions | None = None,
    tell: Callable[[str], None] = _silent,
) -> Iterator[DoneMigration]:
    """Apply what is pending, up to version ``to``; yields each when it is done.

    Raises:
        ExpectationError: an applied migration was edited, is missing or late; a statement failed.
        DocumentError: a file cannot be run as it is; nothing was applied.
        SetupError: no connection, a pooler, another runner, no version ``to``.
    """
    with (
        _connected(conninfo) as connection,
        upward(connection, conninfo, migrations, options, tell) as session,
    ):
        yield from session.apply(versions.choose(session.states, to))


@contextmanager
def upward(
    connection: psycopg.Connection[Any],
    conninfo: str,
    migrations: Sequence[Migration],
    options: RunnerOptions | None = None,
    tell: Callable[[str], None] = _silent,
) -> Iterator[RunnerSession]:
    """A runner that applies, on a ``connection`` of `exclusive.prepare` to the database of ``conninfo``.

    Hashes of what another tool applied are taken. Raises as `up` does.
    """
    with _session(connection, conninfo, "up", migrations, options or RunnerOptions(), tell) as session:
        versions.check(session.states)
        session.adopt([s.migration for s in session.states if s.migration and s.adopted])
        yield session


def down(
    conninfo: str,
    migrations: Sequence[Migration],
    *,
    to: str | None = None,
    steps: int = 1,
    options: RunnerOptions | None = None,
    tell: Callable[[str], None] = _silent,
) -> Iterator[DoneMigration]:
    """Undo the last ``steps`` migrations, or all after version ``to``; yields each when it is done.

    The caller has made sure that the database is one for development or tests. Raises as `up` does.
    """
    with (
        _connected(conninfo) as connection,
        _session(connection, conninfo, "down", migrations, options or RunnerOptions(), tell) as session,
    ):
        states = session.states
        versions.check([state for state in states if state.state != "late"])
        applied = [state.migration for state in states if state.state == "applied" and state.migration]
        if to is not None and to not in {migration.version for migration in applied} | {"0"}:
            raise SetupError(
                f"version {to} is not applied", next_step="pgrehearse db status lists them; 0 undoes all"
            )
        yield from session.undo(
            [m for m in applied if m.version > to] if to is not None else applied[-steps:] if steps else []
        )


@contextmanager
def _connected(conninfo: str) -> Iterator[psycopg.Connection[Any]]:
    with _surroundings(conninfo), exclusive.connect(conninfo) as connection:
        yield connection


@contextmanager
def _session(
    connection: psycopg.Connection[Any],
    conninfo: str,
    direction: str,
    migrations: Sequence[Migration],
    options: RunnerOptions,
    tell: Callable[[str], None],
) -> Iterator[RunnerSession]:
    """Everything a run needs, after what an interrupted runner left in the ledger is put right.

    Raises SetupError: a migration is half applied or half undone, and the other way is wanted.
    """
    with (
        _surroundings(conninfo),
        exclusive.locked(connection, options.wait, tell),
        StatementWatch(connection, conninfo, tell) as watch,
    ):
        ledger = Ledger(connection)
        found = ledger.open(direction, lambda opened: versions.begun(opened, migrations))
        for name in found.buried:
            tell(f"an earlier run of {name} was interrupted")
        for attempt in found.half:
            done, command = ("undone", "rollback") if direction == "up" else ("applied", "up")
            raise SetupError(
                f"refused: {attempt.version}_{attempt.name} is half {done}, its run was interrupted",
                next_step=f"finish it first: pgrehearse db {command}",
            )
        link = Link(
            connection,
            conninfo,
            ledger,
            watch,
            Notices(connection, tell),
            options.lock_timeout,
            options.backoff,
            tell,
            found.known.withdrawn,
        )
        yield RunnerSession(versions.compare(migrations, found.known), Runner(link))


@contextmanager
def _surroundings(conninfo: str) -> Iterator[None]:
    """What goes wrong outside of a migration's statements is the surroundings'."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise _no_right(error, conninfo) from None
    except psycopg.Error as error:
        reason = first_line(error)
        raise SetupError(
            f"the ledger could not be read or written: {reason}",
            next_step="run it again when the cause is gone: it goes on where it was",
        ) from None


def _no_right(error: psycopg.Error, conninfo: str) -> SetupError:
    parts = conninfo_to_dict(conninfo)
    role = Identifier(str(parts.get("user", ""))).as_string()
    database = Identifier(str(parts.get("dbname", ""))).as_string()
    return SetupError(
        f"the role {role} cannot keep the ledger: {first_line(error)}",
        next_step=f"as the owner of the database, once: GRANT CREATE ON DATABASE {database} TO {role};"
        f" GRANT CREATE ON SCHEMA public TO {role}; or let the role that made the ledger migrate",
    )
