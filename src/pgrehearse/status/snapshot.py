"""All facts of one database, read one after the other in one session."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from pgrehearse import clock
from pgrehearse.environments.declared import Environment
from pgrehearse.environments.target import reached
from pgrehearse.errors import PgRehearseError, SetupError, first_line
from pgrehearse.status import server
from pgrehearse.status.fact import Fact, Known, Level, Unknown, Value, worst
from pgrehearse.status.fact_table import FACTS
from pgrehearse.status.look import Look, Unreadable, reading
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.project import Project

__all__ = ["LookTarget", "Snapshot", "facts_of", "take", "unseen"]

_DENIED = "42501"
_LOCKED = ("55P03", "57014")


@dataclass(frozen=True)
class LookTarget:
    """A database to look at.

    Attributes:
        name: what the file calls it; empty of the one that keeps the environment's promotions.
        position: of the environment in the file, counted from 0.
        dsn: how it is found; raises SetupError where nothing says so.
    """

    environment: Environment
    position: int
    name: str
    dsn: Callable[[], str]

    @property
    def home(self) -> bool:
        return not self.name

    @property
    def label(self) -> str:
        """The environment, and the database where it is one of a group."""
        return f"{self.environment.name}/{self.name}" if self.name else self.environment.name


@dataclass(frozen=True)
class Snapshot:
    """Where a database stands. ``facts``: every one that is asked of it, by name, in the order of `FACTS`."""

    place: LookTarget
    taken_at: datetime
    took: float
    facts: dict[str, Fact]

    @property
    def level(self) -> Level:
        return worst(fact.level for fact in self.facts.values())


def facts_of(place: LookTarget) -> list[str]:
    """The names of the facts that are asked of ``place``."""
    return [name for name, rule in FACTS.items() if place.home or rule.everywhere]


def unseen(
    place: LookTarget, reason: str, next_step: str, facts: dict[str, Fact] | None = None
) -> dict[str, Fact]:
    """All facts of ``place``: those of ``facts``, the others unknown for ``reason``."""
    read = facts or {}
    return {name: read.get(name) or Unknown(reason, next_step) for name in facts_of(place)}


def take(
    place: LookTarget,
    project: Project,
    migrations: Sequence[Migration],
    limit: float,
    facts: dict[str, Fact],
    opened: Callable[[psycopg.Connection[object]], None] = lambda _: None,
) -> None:
    """Put every fact of ``place`` into ``facts`` as it is read.

    Args:
        limit: seconds that it may take to reach the database, and each statement there.
        opened: is given the connection, which somebody else may then cut.
    """
    try:
        with reached(place.dsn(), limit=limit) as connection:
            connection.prepare_threshold = None  # a pooler would give it to others
            opened(connection)
            begun = time.perf_counter()
            found, user, sees = server.read(connection, place.environment, limit)
            facts["server"] = Known(found, clock.now(), time.perf_counter() - begun)
            look = Look(
                connection,
                project,
                place.environment,
                place.position,
                migrations,
                place.label,
                user,
                found.role == "standby",
                sees,
                limit,
            )
            for name in facts_of(place):
                read = FACTS[name].read
                if read is not None:
                    facts[name] = _fact(look, read)
    except SetupError as error:
        facts |= unseen(place, error.message, error.next_step or "", facts)


def _fact(look: Look, read: Callable[[Look], Value | Known]) -> Fact:
    begun = time.perf_counter()
    try:
        with reading(look.connection, look.limit):
            value = read(look)
    except Unreadable as error:
        return Unknown(error.reason, error.next_step)
    except PgRehearseError as error:
        return Unknown(error.message, error.next_step or "")
    except psycopg.Error as error:
        if look.connection.closed:
            raise
        return Unknown(*_refused(look, error))
    if isinstance(value, Known):  # it was measured earlier, and says when
        return value
    return Known(value, clock.now(), time.perf_counter() - begun)


def _refused(look: Look, error: psycopg.Error) -> tuple[str, str]:
    said = first_line(error)
    if error.sqlstate == _DENIED:
        return (
            f"{look.user} may not see it: {said}",
            f"grant it, or look as another role; pgrehearse promote apply {look.environment.name} lets"
            " viewers read the ledger",
        )
    if error.sqlstate in _LOCKED:
        return f"it could not be read in time: {said}", "somebody holds a lock on what it reads; look again"
    return f"it could not be read: {said}", "look again; then see the log of the server"
