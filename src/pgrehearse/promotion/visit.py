"""One database of a promotion in waves is taken, brought up to date, and its worker says that it is there.

Exactly once is not this module's doing: the ledger of the database holds each migration in the transaction
of its change, and one runner at a time has the lock there. A worker that was given up and lives finds its
attempt to be another's; what it did until then stands in that ledger, and is found there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from pgrehearse.connections import connect
from pgrehearse.environments.declared import Environment
from pgrehearse.environments.target import Target
from pgrehearse.errors import PgRehearseError, SetupError, first_line
from pgrehearse.execution.exclusion import RUNNER, holder
from pgrehearse.promotion import databases
from pgrehearse.promotion.carry_out import Reporter, apply_to_database
from pgrehearse.promotion.plan import files_of, member
from pgrehearse.promotion.store import opened
from pgrehearse.promotion.visits import Visits
from pgrehearse.text.characters import visible
from pgrehearse.text.migration_files import Migration

__all__ = ["Work", "visit"]

#: Seconds between two signs of life; also the shortest wait of others that is seen.
_BEAT = 1.0
#: How long somebody has waited for whoever has the lock of the runner in this database.
_BLOCKED = f"""
SELECT max(pg_catalog.clock_timestamp() - w.waitstart) FROM pg_catalog.pg_locks AS w
 WHERE NOT w.granted AND EXISTS (
       SELECT FROM pg_catalog.pg_locks AS l
        WHERE l.locktype = 'advisory' AND l.classid = {RUNNER[0]} AND l.objid = {RUNNER[1]} AND l.granted
          AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
                             WHERE d.datname = pg_catalog.current_database())
          AND l.pid <> w.pid AND l.pid = ANY (pg_catalog.pg_blocking_pids(w.pid)))
"""
_LAG = "SELECT max(replay_lag) FROM pg_catalog.pg_stat_replication"
_SEES_LAG = "SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')"


@dataclass(frozen=True)
class Work:
    """What a worker knows. ``migrations``: the project's, as they are now.

    ``home``: the connection string of the database that keeps the promotions of ``environment``.
    """

    environment: Environment
    home: str
    migrations: Callable[[], Sequence[Migration]]


def visit(work: Work, promotion: int, number: int, worker: str, reporter: Reporter) -> str | None:
    """Take the ``number``-th database of a promotion, if it is to be taken, and apply the plan to it.

    Returns how it ended: done, failed, or open, when it was given back; None when it was not to be taken, or
    was another's at the end. Raises SetupError: the promotions cannot be reached.
    """
    with opened(work.home, "worker") as store:
        visits = Visits(store.connection)
        attempt = visits.claim(promotion, number, worker)
        if attempt is None:
            return None
        steps = visits.steps(promotion, number)
        name = steps[0].database
        watch_lag = visits.watches_lag(promotion)
        try:
            target = databases.named(work.environment, name)
            if there := _at_work(target, watch_lag):
                state, said = "open", there
            else:
                migrations = work.migrations()
                plan = files_of(steps, migrations)
                with _alive(work.home, promotion, number, attempt, target, watch_lag, reporter.tell):
                    _apply(visits, promotion, number, (name, target), plan, migrations, reporter)
                state, said = "done", ""
        except PgRehearseError as error:
            state, said = "failed", f"{error.message}; {error.next_step}"
        except psycopg.Error as error:
            state, said = "failed", first_line(error)
        if not visits.settle(promotion, number, attempt, state, said):
            return None
        if state == "failed":
            reporter.tell(visible(f"{name}: {said}"))
        return state


def _apply(
    visits: Visits,
    promotion: int,
    number: int,
    there: tuple[str, Target],
    plan: Sequence[Migration],
    migrations: Sequence[Migration],
    reporter: Reporter,
) -> None:
    """Apply; what a worker that was given up has done in the meantime is no failure, but found."""
    one = member(*there, migrations)
    try:
        apply_to_database(visits, promotion, number, one, plan, migrations, reporter)
    except PgRehearseError:
        one = member(*there, migrations)
        if not all(map(one.has, plan)):
            raise
        apply_to_database(visits, promotion, number, one, plan, migrations, reporter)


def _at_work(target: Target, watch_lag: bool) -> str | None:
    """Who still works there, for a build that outlived its worker is not disturbed.

    Raises SetupError: standbys are to be looked at, and the role may not.
    """
    with connect(target.conninfo, autocommit=True) as connection:
        there = holder(connection, RUNNER, "runner")
        if watch_lag and not there:
            row = connection.execute(_SEES_LAG).fetchone()
            if row is None or not row[0]:
                raise SetupError(
                    f"{target.user} may not see how far standbys are behind, and the roll-out has a limit",
                    next_step=f"GRANT pg_read_all_stats TO {target.user}, or leave out lag",
                )
    return there


@contextmanager
def _alive(
    home: str,
    promotion: int,
    number: int,
    attempt: int,
    target: Target,
    watch_lag: bool,
    tell: Callable[[str], None],
) -> Iterator[None]:
    """Say every second that the attempt goes on, and what others wait for. Short work says nothing."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(_BEAT):
            with (
                suppress(
                    PgRehearseError, psycopg.Error
                ),  # again in a moment; who is silent for long is given up
                opened(home, "worker") as store,
                connect(target.conninfo, autocommit=True) as connection,
            ):
                connection.execute("SET statement_timeout = '1s'")
                while True:
                    blocked = _longest(connection, _BLOCKED)
                    lag = _longest(connection, _LAG) if watch_lag else None
                    if not Visits(store.connection).beat(promotion, number, attempt, blocked, lag):
                        tell(f"{target.database}: this worker was not heard of, and another has it now")
                        return
                    if ended.wait(_BEAT):
                        return

    thread = threading.Thread(target=beat, name="alive", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _longest(connection: psycopg.Connection[tuple[timedelta | None]], query: str) -> timedelta | None:
    try:
        row = connection.execute(query.encode()).fetchone()
    except psycopg.errors.QueryCanceled:  # what the migration has locked may be a catalog that this reads
        return None
    return row[0] if row else None
