"""One database of a promotion in waves is taken, brought up to date, and its worker says that it is there.

Exactly once is not this module's doing: the ledger of the database holds each migration in the transaction
of its change, and one runner at a time has the lock there. A worker that was given up and lives finds its
attempt to be another's; what it did until then stands in that ledger, and is found there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg

from pgrehearse.connections import connect
from pgrehearse.environments.declared import Environment
from pgrehearse.environments.target import Target
from pgrehearse.errors import PgRehearseError, SetupError, first_line
from pgrehearse.execution.exclusion import RUNNER, Held
from pgrehearse.promotion import reached, standbys
from pgrehearse.promotion.gate_table import prefix
from pgrehearse.promotion.one_database import PromotedDatabase, PromotionReporter, apply_to_database
from pgrehearse.promotion.plan import files_of
from pgrehearse.promotion.store import opened
from pgrehearse.promotion.visits import Taken, Visits
from pgrehearse.text.characters import visible
from pgrehearse.text.migration_files import Migration

__all__ = ["Work", "visit"]

#: Seconds between two signs of life; also the shortest wait of others that is seen.
_BEAT = 1.0
#: Seconds that a worker goes on before it lets others have a turn, or ends when it was told to. Its
#: connection to the promotions lasts as long, and is slow until it knows what is asked.
_SPELL = 3.0
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


class Work:
    """What a worker knows, and keeps from one database to the next.

    Args:
        home: the connection string of the database that keeps the promotions of ``environment``.
        migrations: reads the project's, as they are now.
    """

    def __init__(
        self, environment: Environment, home: str, migrations: Callable[[], Sequence[Migration]]
    ) -> None:
        self.environment, self.home = environment, home
        self._migrations = migrations
        self._plans: dict[int, tuple[Sequence[Migration], Sequence[Migration]]] = {}

    def plan(self, visits: Visits, promotion: int) -> tuple[Sequence[Migration], Sequence[Migration]]:
        """The migrations of a promotion, and all of the project, as they were when they agreed.

        Raises ExpectationError: the files are not what was requested.
        """
        found = self._plans.get(promotion)
        if found is None:
            migrations = self._migrations()
            found = files_of(visits.steps(promotion, 1), migrations), migrations
            self._plans = {promotion: found}
        return found


def visit(work: Work, promotion: int, worker: str, reporter: PromotionReporter) -> None:
    """Take databases of a promotion and apply its plan to them, one after the other, for some seconds.

    It ends when there is none to be taken, too. Raises SetupError: the promotions cannot be reached.
    """
    limit = time.monotonic() + _SPELL
    # Whoever works at a database now is not waited for: it is given back, and others are done meanwhile.
    reporter = replace(reporter, options=replace(reporter.options, wait=0.0))
    with opened(work.home, "worker") as store:
        visits = Visits(store.connection)
        while (taken := visits.claim(promotion, worker)) is not None:
            state, said = _one(work, visits, promotion, taken, reporter)
            if visits.settle(promotion, taken.target, taken.attempt, state, said) and state == "failed":
                reporter.tell(visible(f"{taken.database}: {said}"))
            if time.monotonic() > limit:
                return


def _one(
    work: Work, visits: Visits, promotion: int, taken: Taken, reporter: PromotionReporter
) -> tuple[str, str]:
    """Returns how it ended, done, failed or open, when it is given back; and why."""
    try:
        with reached.worked_at(work.environment, taken.database) as (connection, target):
            if stop := _too_far_behind(visits, promotion, taken, connection, target):
                return "open", stop
            plan, migrations = work.plan(visits, promotion)
            place = PromotedDatabase(
                promotion, taken.target, taken.database, connection, target.conninfo, taken.done
            )
            with _alive(work.home, promotion, taken, target, reporter.tell):
                apply_to_database(visits, place, plan, migrations, prefix(work.environment), reporter)
            _too_far_behind(visits, promotion, taken, connection, target)
    except Held as error:  # a build that outlived its worker is not disturbed
        return "open", error.message
    except PgRehearseError as error:
        return "failed", f"{error.message}; {error.next_step}"
    except psycopg.Error as error:
        return "failed", first_line(error)
    return "done", ""


def _too_far_behind(
    visits: Visits, promotion: int, taken: Taken, connection: psycopg.Connection[Any], target: Target
) -> str | None:
    """Why no further database may be begun, after standbys were looked at, if the roll-out has a limit.

    Also where the work is too short for `_alive` to look. Raises SetupError: the role may not see it.
    """
    if taken.lag is None:
        return None
    if not standbys.visible_to(connection):
        raise SetupError(
            f"{target.user} may not see how far standbys are behind, and the roll-out has a limit",
            next_step=f"GRANT pg_read_all_stats TO {target.user}, or leave out lag",
        )
    visits.beat(promotion, taken.target, taken.attempt, None, standbys.behind(connection, taken.lag))
    return visits.halt(promotion)


@contextmanager
def _alive(
    home: str, promotion: int, taken: Taken, target: Target, tell: Callable[[str], None]
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
                    blocked, lag = _seen(connection, taken.lag)
                    if not Visits(store.connection).beat(
                        promotion, taken.target, taken.attempt, blocked, lag
                    ):
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


def _seen(
    connection: psycopg.Connection[Any], limit: timedelta | None
) -> tuple[timedelta | None, timedelta | None]:
    """How long somebody has waited, and how far standbys are behind, where that has a ``limit``."""
    try:
        row = connection.execute(_BLOCKED).fetchone()
        return (row[0] if row else None), (None if limit is None else standbys.behind(connection, limit))
    except psycopg.errors.QueryCanceled:  # what the migration has locked may be a catalog that this reads
        return None, None
