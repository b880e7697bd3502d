"""Values of every fact, well and not, and snapshots made of them: no database."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

from pgrehearse.status.activity import Change, Holder, Holding, IdleSlot, Now, Transaction, Waiting
from pgrehearse.status.backup import Backup, BackupLine, Lacking
from pgrehearse.status.drift import Drift, SeenDifference
from pgrehearse.status.fact import Known, Value
from pgrehearse.status.leftovers import HalfDone, Leftovers, UnfinishedRun
from pgrehearse.status.migrations import Last, Migrations, Ran
from pgrehearse.status.promotions import Promoted
from pgrehearse.status.server import Rights, ServerSeen
from pgrehearse.status.snapshot import Snapshot, facts_of
from support.snapshots import place_of

__all__ = ["AT", "LONG", "NEVER", "VALUES", "snapshot"]

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
LONG = timedelta(minutes=10)

_RAN = Ran("1", "step", "up", "deploy", AT, None, "failed", "no", 1.5, 100, 0.5, ("shop",), 2)
#: A value of each fact that is well, and one that needs a person, with every part filled.
VALUES: dict[str, tuple[Value, Value]] = {
    "server": (
        ServerSeen("18.6", "primary", "shop", "staging", "staging", None, 0, False),
        ServerSeen("18.6", "standby", "shop", None, "staging", LONG, 0, False),
    ),
    "rights": (Rights("vic", ()), Rights("vic", ("x",))),
    "migrations": (Migrations("2", 2, ("3_step",), ()), Migrations(None, 0, (), ())),
    "promotion": (
        Promoted("staging", True, True, 1, "applied", "rita", AT, steps=2, steps_done=2),
        Promoted(
            "staging", True, True, 1, "applying", "rita", AT, waits_for="ron", databases=(("failed", 1),)
        ),
    ),
    "now": (
        Now((Change("migration", 1, "deploy", "pgrehearse", LONG, "ALTER TABLE", "half"),), (), ()),
        Now(
            (),
            (Waiting(1, "app", "shop", LONG, "AccessShareLock", "public.shop", "SELECT", (2,)),),
            (Holder(2, "deploy", "psql", "idle", None, ""),),
        ),
    ),
    "last": (Last((dataclasses.replace(_RAN, outcome="done"),)), Last((_RAN,))),
    "drift": (Drift(()), Drift((SeenDifference("live", "table a", "it", "CREATE TABLE a ()", None),))),
    "leftovers": (
        Leftovers((), ()),
        Leftovers(
            (HalfDone("index a", "is INVALID", "drop it"),),
            (UnfinishedRun("a.md", "stopped", "me", AT, ("Apply",)),),
        ),
    ),
    "holding": (
        Holding((), (IdleSlot("a", 1),), 1, 2, 0),
        Holding((Transaction(None, "gid", "me", "prepared", LONG),), (IdleSlot("a", None),), 9, 2, 1),
    ),
    "backup": (
        Backup(asked=False),
        Backup(
            True,
            "restored",
            "base",
            "pg_basebackup",
            "listed",
            AT,
            AT,
            LONG,
            (BackupLine("listed", "manifest", True, "it is whole"),),
            (Lacking("level", "listed, and restored is asked for", "pgrehearse backup verify"),),
        ),
    ),
}
#: Those of which nothing needs a person.
NEVER = {"rights", "migrations"}


def snapshot(which: int, name: str = "", **facts: Any) -> Snapshot:
    """With the ``which``-th value of each fact, but for ``facts``."""
    place = place_of("", name)
    found = {one: facts.get(one) or Known(VALUES[one][which], AT, 0.001) for one in facts_of(place)}
    return Snapshot(place, AT, 0.01, found)
