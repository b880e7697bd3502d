"""The migrations of a database: which are applied, pending or wrong; the last ones, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pgrehearse.execution.exclusion import RUNNER
from pgrehearse.findings import Finding
from pgrehearse.migration.runner import versions
from pgrehearse.migration.runner.ledger import Ledger
from pgrehearse.promotion.quantities import counted
from pgrehearse.status.fact import concern
from pgrehearse.status.look import Look

__all__ = ["Last", "Migrations", "Ran", "last", "read"]

#: Migrations of the trend.
_MOST = 20
_AT_WORK = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_locks AS l
                WHERE l.locktype = 'advisory' AND l.classid = %s AND l.objid = %s AND l.granted
                  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
                                     WHERE d.datname = pg_catalog.current_database()))
"""


@dataclass(frozen=True)
class Wrong:
    """A migration that must not be as it is: edited, missing, late or withdrawn."""

    version: str
    state: str
    message: str
    next_step: str


@dataclass(frozen=True)
class Migrations:
    """The files of the project against the ledger. ``version``: the newest that is applied."""

    version: str | None
    applied: int
    pending: tuple[str, ...]
    wrong: tuple[Wrong, ...]

    @property
    def said(self) -> str:
        parts = [f"{self.applied} applied", f"{len(self.pending)} pending" if self.pending else ""]
        return ", ".join(filter(None, [*parts, f"{len(self.wrong)} wrong" if self.wrong else ""]))

    @property
    def findings(self) -> list[Finding]:
        return [concern(one.message, one.next_step) for one in self.wrong]


@dataclass(frozen=True)
class Ran:
    """One try of a migration.

    Attributes:
        direction: up or down.
        outcome: done, failed, interrupted, running, or lost: running according to the ledger, and nobody is.
        milliseconds, wal_bytes: of all its statements.
        lock_wait_ms: the longest that one of them waited.
        rewritten: tables that got a new file.
        tries: how often it was tried until then, since it was last done.
    """

    version: str
    name: str
    direction: str
    who: str
    started: datetime
    finished: datetime | None
    outcome: str
    error: str | None
    milliseconds: float
    wal_bytes: int
    lock_wait_ms: float
    rewritten: tuple[str, ...]
    tries: int

    @property
    def label(self) -> str:
        return f"{self.version}_{self.name}"


@dataclass(frozen=True)
class Last:
    """The last tries, newest first; none where nothing was ever run by pgrehearse."""

    ran: tuple[Ran, ...]

    @property
    def said(self) -> str:
        if not self.ran:
            return "nothing was run"
        one = self.ran[0]
        return f"{one.label} {one.direction} {one.outcome} {one.started:%Y-%m-%d %H:%M}"

    @property
    def findings(self) -> list[Finding]:
        return list(self._findings())

    def _findings(self) -> Iterator[Finding]:
        """Of each version, its last try counts."""
        seen: set[str] = set()
        for one in self.ran:
            if one.version in seen:
                continue
            seen.add(one.version)
            if one.outcome in ("failed", "interrupted", "lost"):
                how = "its runner is gone" if one.outcome == "lost" else one.error or one.outcome
                yield concern(
                    f"{one.label} {one.direction} was not finished, {counted(one.tries, 'try')}: {how}"
                    if one.tries == 1
                    else f"{one.label} {one.direction} was not finished, {one.tries} tries: {how}",
                    "mend what it says, then pgrehearse db up goes on where it stopped",
                )


def read(look: Look) -> Migrations:
    """The files against the ledger. Raises SetupError: the ledger cannot be trusted; psycopg.Error."""
    states = versions.look(look.connection, look.migrations)
    wrong = [(state, state.finding) for state in states if state.finding]
    applied = [state.version for state in states if state.state in ("applied", "edited", "missing")]
    return Migrations(
        max(applied, default=None),
        len(applied),
        tuple(state.label for state in states if state.state == "pending"),
        tuple(Wrong(state.version, state.state, one.message, one.next_step) for state, one in wrong if one),
    )


def last(look: Look) -> Last:
    """The last tries. Raises as `read` does."""
    tries = Ledger(look.connection).recent(_MOST)
    running = any(one.outcome == "running" for one in tries)
    gone = running and not look.standby and not look.rows(_AT_WORK.encode(), RUNNER)[0][0]
    return Last(
        tuple(
            Ran(
                one.version,
                one.name,
                one.direction,
                one.who,
                one.started,
                one.finished,
                "lost" if gone and one.outcome == "running" else one.outcome,
                one.error,
                round(one.milliseconds, 1),
                one.wal_bytes,
                round(one.lock_wait_ms, 1),
                tuple(one.rewritten),
                one.tries,
            )
            for one in tries
        )
    )
