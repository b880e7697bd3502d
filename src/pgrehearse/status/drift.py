"""Drift of an environment: the last comparison with the migrations, kept in the project.

A comparison starts a server and reads the whole definition, which takes seconds. So it is made when somebody
asks for it, and believed for a day, as long as the same migrations are applied. After that nobody knows.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from pgrehearse import clock, sealed
from pgrehearse.connections import connect
from pgrehearse.environments.target import Target
from pgrehearse.findings import Finding
from pgrehearse.migration.drift.comparisons import live_against_migrations
from pgrehearse.migration.drift.live import look as look_live
from pgrehearse.migration.runner.ledger import Ledger
from pgrehearse.promotion.quantities import counted, told
from pgrehearse.status.fact import Known, concern
from pgrehearse.status.look import Look, Unreadable
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.passwords import redacted
from pgrehearse.text.project import Project

__all__ = ["Drift", "SeenDifference", "compare", "read"]

_FORM = 1  # of the kept file
_BELIEVED = timedelta(days=1)
_IDENTITY = """
SELECT s.system_identifier::pg_catalog.text || ' ' || d.oid::pg_catalog.text
  FROM pg_catalog.pg_control_system() AS s, pg_catalog.pg_database AS d
 WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
"""
_ASK = "pgrehearse status --drift compares it now"


@dataclass(frozen=True)
class SeenDifference:
    """One difference.

    Attributes:
        side: who has it: live, or the migrations.
        why: what that means, in a line.
        sql: the statement that only this side has.
        puts_right: statements that were seen to make a copy what the migrations say; None where rows would be
            lost by it, or none are known.
    """

    side: str
    object: str
    why: str
    sql: str
    puts_right: str | None


@dataclass(frozen=True)
class Drift:
    """``notes``: what else is to be known of the comparison; ``open``: those of what was not compared."""

    differences: tuple[SeenDifference, ...]
    notes: tuple[str, ...] = ()
    open: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        return counted(len(self.differences), "difference") if self.differences else "none"

    @property
    def findings(self) -> list[Finding]:
        return [
            concern(
                f"only in {one.side}: {one.why}",
                f"to undo it: {one.puts_right}; to keep it: pgrehearse db new"
                if one.puts_right
                else "undo the change, or write it as a migration (pgrehearse db new)",
                about=one.object,
                statement=one.sql,
            )
            for one in self.differences
        ]


def compare(project: Project, name: str, target: Target, migrations: Sequence[Migration]) -> Drift:
    """Compare the database with what its migrations make, and keep the result under ``name``.

    Raises what `live_against_migrations` raises.
    """
    begun = time.perf_counter()
    live = look_live(target.conninfo)
    with connect(target.conninfo, autocommit=True) as connection:
        identity = _identity(connection)
    found = live_against_migrations(
        target.conninfo,
        live,
        migrations,
        project.migrations.parent / "roles.sql",
        target.major,
        ignore=project.drift_ignore,
        repairs=True,
    )
    drift = Drift(
        tuple(
            SeenDifference(
                side,
                one.object,
                one.why,
                redacted(one.sql),
                redacted(found.repair.puts_right(one.object, one.subject)) or None,
            )
            for side, ours in zip(found.names, (found.drift.only_left, found.drift.only_right), strict=True)
            for one in ours
        ),
        (*found.notes, *(one.said for one in found.ignored if one.count)),
        found.open,
    )
    kept = {
        "form": _FORM,
        "database": identity,
        "applied": sorted(live.applied or ()),
        **asdict(drift),
        "compared_at": clock.now().isoformat(),
        "seconds": round(time.perf_counter() - begun, 4),
    }
    sealed.write(_place(project, name), kept)
    return drift


def read(look: Look) -> Known:
    """The last comparison, measured when it was made.

    Raises Unreadable: there is none, or it may not be so any more.
    """
    kept = _kept(_place(look.project, look.name))
    if kept is None:
        raise Unreadable("not compared yet", _ASK)
    drift, at, age = kept.drift, kept.at, clock.now() - kept.at
    if kept.database != _identity(look.connection):
        raise Unreadable("what was compared is another database", _ASK)
    if not timedelta(minutes=-5) <= age <= _BELIEVED:
        raise Unreadable(f"compared {told(age)} ago", _ASK)
    if kept.applied != sorted(Ledger(look.connection).known().applied):
        raise Unreadable(f"compared {told(age)} ago, and other migrations are applied since", _ASK)
    if drift.open and not drift.differences:
        raise Unreadable(f"no difference in what could be compared; {drift.open[0]}", _ASK)
    return Known(drift, at, kept.seconds)


@dataclass(frozen=True)
class _Kept:
    """``database``: which one was compared; ``applied``: the versions it had then."""

    database: str
    applied: list[str]
    drift: Drift
    at: datetime
    seconds: float


def _identity(connection: psycopg.Connection[Any]) -> str:
    """Tells a database from every other, a copy of it on the same server among them."""
    row = connection.execute(_IDENTITY).fetchone()
    assert row is not None
    return str(row[0])


def _place(project: Project, name: str) -> Path:
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return project.records / "status" / f"drift-{digest}.json"


def _kept(place: Path) -> _Kept | None:
    try:
        value = sealed.read(place)
        if value["form"] != _FORM:
            return None
        differences = tuple(SeenDifference(**one) for one in value["differences"])
        return _Kept(
            value["database"],
            value["applied"],
            Drift(differences, tuple(value["notes"]), tuple(value["open"])),
            datetime.fromisoformat(value["compared_at"]),
            float(value["seconds"]),
        )
    except (sealed.Broken, ValueError, TypeError, KeyError):
        return None
