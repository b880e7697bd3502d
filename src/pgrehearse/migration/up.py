"""Applies pending migrations, or undoes applied ones, in order; one runner at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pgrehearse.errors import SetupError
from pgrehearse.migration import plan, session
from pgrehearse.migration.ledger import Cost, Ledger
from pgrehearse.migration.section import Runner, statements
from pgrehearse.migration.watch import Watch
from pgrehearse.text.migrations import Migration

__all__ = ["Done", "Options", "down", "up"]


@dataclass(frozen=True)
class Options:
    """How patient a run is.

    Attributes:
        lock_timeout: how long a transaction waits for a lock, in PostgreSQL's notation.
        attempts: tries of a transaction that gets no lock.
        wait: seconds to wait for another runner.
    """

    lock_timeout: str = "2s"
    attempts: int = 10
    wait: float = 60.0


@dataclass(frozen=True)
class Done:
    """A migration that was applied or undone, and what its statements cost."""

    migration: Migration
    costs: tuple[Cost, ...]


def _silent(line: str) -> None:
    pass


def up(
    conninfo: str,
    migrations: Sequence[Migration],
    *,
    to: str | None = None,
    options: Options | None = None,
    tell: Callable[[str], None] = _silent,
) -> Iterator[Done]:
    """Apply what is pending, up to version ``to``; yields each when it is done.

    Raises:
        ExpectationError: an applied migration was edited, is missing or late; a statement failed.
        DocumentError: a file cannot be run as it is; nothing was applied.
        SetupError: no connection, a pooler, another runner, no version ``to``.
    """
    with _runner(conninfo, options or Options(), tell) as runner:
        runner.ledger.create()
        for name in runner.ledger.bury():
            tell(f"an earlier run of {name} was interrupted")
        applied = runner.ledger.applied()
        states = plan.compare(migrations, applied)
        plan.check(states)
        if to is not None and to not in {state.version for state in states}:
            raise SetupError(
                f"no migration has the version {to}", next_step="pgrehearse db status lists them"
            )
        runner.ledger.adopt(
            [
                s.migration
                for s in states
                if s.migration and s.version in applied and not applied[s.version].sha256
            ]
        )
        pending = [
            state.migration
            for state in states
            if state.state == "pending" and state.migration and (to is None or state.version <= to)
        ]
        for migration in pending:
            statements(migration, migration.up)  # refuse before anything is done
        for migration in pending:
            yield Done(migration, tuple(runner.run(migration, "up")))


def down(
    conninfo: str,
    migrations: Sequence[Migration],
    *,
    to: str | None = None,
    steps: int = 1,
    options: Options | None = None,
    tell: Callable[[str], None] = _silent,
) -> Iterator[Done]:
    """Undo the last ``steps`` migrations, or all after version ``to``; yields each when it is done.

    The caller has made sure that the database is one for development or tests. Raises as `up` does.
    """
    with _runner(conninfo, options or Options(), tell) as runner:
        runner.ledger.create()
        for name in runner.ledger.bury():
            tell(f"an earlier run of {name} was interrupted")
        states = plan.compare(migrations, runner.ledger.applied())
        plan.check([state for state in states if state.state != "late"])
        applied = [state.migration for state in states if state.state == "applied" and state.migration]
        if to is not None and to not in {migration.version for migration in applied} | {"0"}:
            raise SetupError(
                f"version {to} is not applied", next_step="pgrehearse db status lists them; 0 undoes all"
            )
        chosen = (
            [m for m in applied if m.version > to] if to is not None else applied[-steps:] if steps else []
        )
        for migration in chosen:
            if migration.down is None:
                raise SetupError(
                    "refused: this migration has no `-- migrate:down` part",
                    path=migration.path,
                    next_step="write one, even if it is only a comment that says why nothing can be undone",
                )
            statements(migration, migration.down)
        for migration in reversed(chosen):
            yield Done(migration, tuple(runner.run(migration, "down")))


@contextmanager
def _runner(conninfo: str, options: Options, tell: Callable[[str], None]) -> Iterator[Runner]:
    with (
        session.connect(conninfo) as connection,
        session.locked(connection, options.wait, tell),
        Watch(conninfo, connection.info.backend_pid, tell) as watch,
    ):
        connection.add_notice_handler(lambda notice: tell(f"{notice.severity}: {notice.message_primary}"))
        yield Runner(connection, Ledger(connection), watch, options.lock_timeout, options.attempts, tell)
