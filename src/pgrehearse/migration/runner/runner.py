"""Applies pending migrations, or undoes applied ones, in order; one runner at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import Identifier

from pgrehearse.errors import SetupError, first_line
from pgrehearse.execution.backoff import Backoff
from pgrehearse.migration.runner import exclusive, versions
from pgrehearse.migration.runner.attempt import Link
from pgrehearse.migration.runner.ledger import Ledger
from pgrehearse.migration.runner.notices import Notices
from pgrehearse.migration.runner.section import Outcome, Runner
from pgrehearse.migration.runner.watch import Watch
from pgrehearse.text.migration_files import Migration, statements

__all__ = ["Done", "RunnerOptions", "down", "up"]


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
class Done:
    """A migration that was applied or undone, and what that took."""

    migration: Migration
    outcome: Outcome


def _silent(line: str) -> None:
    pass


def up(
    conninfo: str,
    migrations: Sequence[Migration],
    *,
    to: str | None = None,
    options: RunnerOptions | None = None,
    tell: Callable[[str], None] = _silent,
) -> Iterator[Done]:
    """Apply what is pending, up to version ``to``; yields each when it is done.

    Raises:
        ExpectationError: an applied migration was edited, is missing or late; a statement failed.
        DocumentError: a file cannot be run as it is; nothing was applied.
        SetupError: no connection, a pooler, another runner, no version ``to``.
    """
    with _runner(conninfo, options or RunnerOptions(), tell) as runner:
        states = _states(runner, migrations)
        _whole(runner.ledger, "down", "pgrehearse db rollback")
        versions.check(states)
        pending = versions.choose(states, to)
        runner.ledger.adopt([s.migration for s in states if s.migration and s.adopted])
        todo = [statements(migration, migration.up) for migration in pending]  # before anything is done
        for migration, own in zip(pending, todo, strict=True):
            yield Done(migration, runner.run(migration, "up", own))


def down(
    conninfo: str,
    migrations: Sequence[Migration],
    *,
    to: str | None = None,
    steps: int = 1,
    options: RunnerOptions | None = None,
    tell: Callable[[str], None] = _silent,
) -> Iterator[Done]:
    """Undo the last ``steps`` migrations, or all after version ``to``; yields each when it is done.

    The caller has made sure that the database is one for development or tests. Raises as `up` does.
    """
    with _runner(conninfo, options or RunnerOptions(), tell) as runner:
        states = _states(runner, migrations)
        _whole(runner.ledger, "up", "pgrehearse db up")
        versions.check([state for state in states if state.state != "late"])
        applied = [state.migration for state in states if state.state == "applied" and state.migration]
        if to is not None and to not in {migration.version for migration in applied} | {"0"}:
            raise SetupError(
                f"version {to} is not applied", next_step="pgrehearse db status lists them; 0 undoes all"
            )
        chosen = (
            [m for m in applied if m.version > to] if to is not None else applied[-steps:] if steps else []
        )
        todo = []
        for migration in chosen:
            if migration.down is None:
                raise SetupError(
                    "refused: this migration has no `-- migrate:down` part",
                    path=migration.path,
                    next_step="write one, even if it is only a comment that says why nothing can be undone",
                )
            todo.append((migration, statements(migration, migration.down)))
        for migration, own in reversed(todo):
            yield Done(migration, runner.run(migration, "down", own))


def _states(runner: Runner, migrations: Sequence[Migration]) -> list[versions.VersionState]:
    """How the database is, after what an interrupted runner left in the ledger is put right."""
    ledger = runner.ledger
    if not ledger.applied():
        versions.in_public(ledger.elsewhere(), migrations)
    ledger.create()
    for name in ledger.bury():
        runner.link.tell(f"an earlier run of {name} was interrupted")
    return versions.compare(migrations, ledger.applied(), ledger.withdrawn())


def _whole(ledger: Ledger, direction: str, command: str) -> None:
    """Raise SetupError when a migration is half applied or half undone, and the other way is wanted."""
    for attempt in ledger.half(direction):
        done = "applied" if direction == "up" else "undone"
        raise SetupError(
            f"refused: {attempt.version}_{attempt.name} is half {done}, its run was interrupted",
            next_step=f"finish it first: {command}",
        )


@contextmanager
def _runner(conninfo: str, options: RunnerOptions, tell: Callable[[str], None]) -> Iterator[Runner]:
    """Everything a run needs. What goes wrong outside of a migration's statements is the surroundings'."""
    try:
        with (
            exclusive.connect(conninfo) as connection,
            exclusive.locked(connection, options.wait, tell),
            Watch(connection, conninfo, tell) as watch,
        ):
            ledger, notices = Ledger(connection), Notices(connection, tell)
            yield Runner(
                Link(
                    connection, conninfo, ledger, watch, notices, options.lock_timeout, options.backoff, tell
                )
            )
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
