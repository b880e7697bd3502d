"""The server: version, role in replication, what the database says it is; and what may not be seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg

from pgrehearse import majors, queries
from pgrehearse.environments import marks
from pgrehearse.environments.declared import Environment
from pgrehearse.errors import SetupError
from pgrehearse.findings import Finding
from pgrehearse.promotion.quantities import counted, told
from pgrehearse.status.fact import concern
from pgrehearse.status.look import Look, reading

__all__ = ["Rights", "ServerSeen", "read", "rights"]

#: A standby that is further behind, or whose primary says so, needs a person.
_FAR_BEHIND = timedelta(minutes=1)


@dataclass(frozen=True)
class ServerSeen:
    """The server that a database lies on.

    Attributes:
        role: primary or standby.
        mark: which environment the database says it is; None where it does not say.
        wanted: which one the environments file says it is.
        lag: how far a standby is behind, or the furthest standby of a primary; None where nobody says.
        standbys: that stream from it.
        streams: whether a standby receives anything now.
        mark_problem: why the mark cannot be believed.
    """

    version: str
    role: str
    database: str
    mark: str | None
    wanted: str
    lag: timedelta | None
    standbys: int
    streams: bool
    mark_problem: str = ""

    @property
    def said(self) -> str:
        behind, version = f", {told(self.lag)} behind" if self.lag else "", majors.said(self.version)
        if self.role == "standby":
            return f"{version}, standby{behind}"
        return version + (f", {counted(self.standbys, 'standby')}{behind}" * bool(self.standbys))

    @property
    def findings(self) -> list[Finding]:
        return list(self._findings())

    def _findings(self) -> Iterator[Finding]:
        if self.mark_problem or self.mark != self.wanted:
            said = self.mark_problem or f"the database is marked {self.mark or 'nothing'}, not {self.wanted}"
            yield concern(said, "check environments.toml, then the mark: pgrehearse environment show")
        if self.role == "standby" and not self.streams:
            yield concern(
                "this standby receives nothing from its primary",
                "look at its log, and at pg_stat_replication of the primary",
            )
        if self.lag is not None and self.lag > _FAR_BEHIND:
            who = "this standby is" if self.role == "standby" else "a standby is"
            yield concern(
                f"{who} {told(self.lag)} behind",
                "see pg_stat_replication; a change would add to it",
            )


@dataclass(frozen=True)
class Rights:
    """What the role of this look may not see; other facts are unknown for it, and say so."""

    user: str
    may_not: tuple[str, ...]

    @property
    def said(self) -> str:
        return f"{self.user}: " + (f"not {', not '.join(self.may_not)}" if self.may_not else "all of it")

    @property
    def findings(self) -> list[Finding]:
        return []


def read(
    connection: psycopg.Connection[Any], environment: Environment, limit: float
) -> tuple[ServerSeen, str, bool]:
    """The server, the role of this session, and whether it may see what others do."""
    mark = marks.read(connection)
    try:
        value, problem = mark.environment(), ""
    except SetupError as error:
        value, problem = None, error.message
    with reading(connection, limit):
        row = connection.execute(queries.text("status_server")).fetchone()
    assert row is not None
    version, database, user, standby, lag, standbys, streams, sees = row
    found = ServerSeen(
        str(version).split()[0],
        "standby" if standby else "primary",
        database,
        value,
        environment.mark,
        lag,
        standbys,
        streams,
        problem,
    )
    return found, user, sees


def rights(look: Look) -> Rights:
    """What this role may not see."""
    missing = [name for (name,) in look.rows(queries.text("status_rights"))]
    others = [] if look.sees_others else ["sessions of other roles"]
    return Rights(look.user, (*others, *missing))
