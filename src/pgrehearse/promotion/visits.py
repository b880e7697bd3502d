"""The databases of a promotion in waves, as PostgreSQL keeps them: opened, taken by workers, done or not.

Every change is a call of a function of ``sql/promotion.sql``, which keeps the order of the waves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import class_row

from pgrehearse.environments.rollouts import Rollout
from pgrehearse.promotion.store import Store, told

__all__ = ["Taken", "Visit", "Visits"]

_VISITS = """
SELECT number, database, wave, state, attempt, worker, seen_at, blocked, lag, said, gone
  FROM pgrehearse_promotion.fleet WHERE promotion = %s ORDER BY number
"""
_COUNTS = """
SELECT f.state, pg_catalog.count(*) FROM pgrehearse_promotion.fleet AS f
 WHERE f.promotion = %s
   AND EXISTS (SELECT FROM pgrehearse_promotion.rollout AS r WHERE r.promotion = f.promotion)
 GROUP BY f.state ORDER BY f.state
"""
_STEPS_DONE = """
SELECT (SELECT pg_catalog.count(*) FROM pgrehearse_promotion.step AS s
         WHERE s.promotion = %(promotion)s AND s.outcome = 'done'),
       (SELECT pg_catalog.count(*) FROM pgrehearse_promotion.target AS t WHERE t.promotion = %(promotion)s)
       * (SELECT pg_catalog.count(*) FROM pgrehearse_promotion.item AS i WHERE i.promotion = %(promotion)s)
"""
_WANTED = """
SELECT count(*)::int FROM pgrehearse_promotion.visit
 WHERE promotion = %s AND state IN ('open', 'working') AND pgrehearse_promotion.wanted(state, seen_at)
"""
_CLAIM = "SELECT target, attempt, database, lag, done FROM pgrehearse_promotion.claim(%s, %s)"
_SKIPPED = "SELECT target FROM pgrehearse_promotion.visit WHERE promotion = %s AND state = 'skipped'"


@dataclass(frozen=True)
class Visit:
    """One database of a promotion.

    Attributes:
        wave: counted from 1; 0 before the roll-out was begun.
        state: planned, open, working, done, failed or skipped.
        worker: who took it last; ``seen_at``: when that was last heard of.
        blocked: the longest that somebody was seen waiting for the migration; ``lag``: of a standby.
        said: why it failed, is skipped, or was given back.
        gone: whether its worker was not heard of for so long that another may take it.
    """

    number: int
    database: str
    wave: int
    state: str
    attempt: int
    worker: str
    seen_at: datetime | None
    blocked: timedelta | None
    lag: timedelta | None
    said: str
    gone: bool


@dataclass(frozen=True)
class Taken:
    """A database that a worker has taken.

    Attributes:
        attempt: counted from 1; another one is another's.
        lag: how far a standby may be behind; None: nobody looks.
        done: the migrations of the plan that are recorded as done there, by number.
    """

    target: int
    attempt: int
    database: str
    lag: timedelta | None
    done: list[int]


class Visits(Store):
    """The same database as a `Store`. Raises SetupError, with PostgreSQL's own words where it refuses."""

    def all(self, promotion: int) -> list[Visit]:
        """Every database of a promotion, in order."""
        with told():
            cursor = self.connection.cursor(row_factory=class_row(Visit))
            return cursor.execute(_VISITS, [promotion]).fetchall()

    def counts(self, promotion: int) -> dict[str, int]:
        """How many of its databases are in which state; empty where it does not go in waves."""
        with told():
            return {str(state): int(many) for state, many in self.connection.execute(_COUNTS, [promotion])}

    def steps_done(self, promotion: int) -> tuple[int, int]:
        """How many migrations are done, each in each database, and how many there are."""
        with told():
            row = self.connection.execute(_STEPS_DONE, {"promotion": promotion}).fetchone()
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def wanted(self, promotion: int) -> int:
        """How many databases workers have to take now."""
        with told():
            row = self.connection.execute(_WANTED, [promotion]).fetchone()
        return row[0] if row else 0

    def skipped(self, promotion: int) -> set[int]:
        """The databases that are left out, by number."""
        with told():
            return {row[0] for row in self.connection.execute(_SKIPPED, [promotion]).fetchall()}

    def roll_out(self, promotion: int, how: Rollout) -> None:
        """Begin, or go on: what failed or was open is planned again. Waves stay as they were made."""
        self._call(
            "roll_out(%s, %s, %s, %s, %s, %s, %s, %s)",
            promotion,
            how.canary,
            how.wave,
            how.at_once,
            how.failures,
            how.duration,
            how.blocked,
            how.lag,
        )

    def open_wave(self, promotion: int) -> int | None:
        """Open the first wave that is not done; its number, None when all are."""
        found = self._call("open_wave(%s)", promotion)
        return None if found is None else int(found)

    def halt(self, promotion: int) -> str | None:
        """Why no further database may be begun."""
        found = self._call("halt(%s)", promotion)
        return None if found is None else str(found)

    def claim(self, promotion: int, worker: str) -> Taken | None:
        """Take the next database that is to be taken; None when none is."""
        with told():
            cursor = self.connection.cursor(row_factory=class_row(Taken))
            return cursor.execute(_CLAIM, [promotion, worker]).fetchone()

    def beat(
        self, promotion: int, target: int, attempt: int, blocked: timedelta | None, lag: timedelta | None
    ) -> bool:
        """Say that an attempt goes on, and what was seen. False: another has taken the database."""
        return bool(self._call("beat(%s, %s, %s, %s, %s)", promotion, target, attempt, blocked, lag))

    def settle(self, promotion: int, target: int, attempt: int, state: str, said: str = "") -> bool:
        """How an attempt ended: done, failed, or open, given back. False: another has the database."""
        return bool(self._call("settle(%s, %s, %s, %s, %s)", promotion, target, attempt, state, said))

    def skip(self, promotion: int, target: int, why: str) -> None:
        """Leave a database out."""
        self._call("skip(%s, %s, %s)", promotion, target, why)

    def home(self) -> str:
        """Tells this place of promotions from every other: the first hash of its audit trail."""
        with told():
            row = self.connection.execute(
                "SELECT hash FROM pgrehearse_promotion.audit ORDER BY seq LIMIT 1"
            ).fetchone()
        return str(row[0]) if row else ""
