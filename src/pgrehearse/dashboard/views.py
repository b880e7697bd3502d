"""What the pages show, prepared from snapshots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from pgrehearse.dashboard.drawing import Chart, Map, chart, fleet_map
from pgrehearse.promotion.quantities import told
from pgrehearse.status.activity import Now
from pgrehearse.status.drift import Drift
from pgrehearse.status.fact import Fact, Known, Level, worst
from pgrehearse.status.fact_table import FACTS, PAGE
from pgrehearse.status.migrations import Last, Migrations, Ran
from pgrehearse.status.snapshot import Snapshot

__all__ = [
    "DatabaseView",
    "FactView",
    "Fleet",
    "MigrationRow",
    "MigrationView",
    "Overview",
    "anchor",
    "database",
    "migration",
    "overview",
]

#: Databases of a fleet that are named; the map shows all.
_NAMED = 200
#: Facts that have a column.
_COLUMNS = tuple(name for name in FACTS if name != "rights")


@dataclass(frozen=True)
class FactView:
    """One cell. ``age``: since it was measured, or last seen; ``help``: where its page says what to do."""

    name: str
    title: str
    level: Level
    said: str
    age: str
    at: str
    findings: tuple[tuple[str, str, str], ...]
    next_step: str
    help: str


@dataclass(frozen=True)
class DatabaseView:
    """One snapshot, as pages show it.

    Attributes:
        anchor: names its place on a page.
        facts: those that are shown; where nothing is known for one reason, one that says so.
        summary: those that have a column of the table; likewise.
    """

    label: str
    anchor: str
    level: Level
    facts: tuple[FactView, ...]
    summary: tuple[FactView, ...]
    last: Last | None
    chart: Chart | None
    now: Now | None
    drift: Drift | None


@dataclass(frozen=True)
class Fleet:
    """The databases of an environment's groups: how many are how, a map, and those that are not well."""

    environment: str
    counts: tuple[tuple[Level, int], ...]
    map: Map
    named: tuple[DatabaseView, ...]
    more: int


@dataclass(frozen=True)
class Overview:
    """All of it. ``titles``: heads of the columns."""

    taken_at: str
    level: Level
    titles: tuple[str, ...]
    databases: tuple[DatabaseView, ...]
    fleets: tuple[Fleet, ...]


def overview(found: Sequence[Snapshot], now: datetime, handbook: str) -> Overview:
    """Of ``found``, at ``now``; ``handbook``: where its pages are, empty where they cannot be linked to."""
    homes = [one for one in found if one.place.home]
    return Overview(
        f"{now:%Y-%m-%d %H:%M:%S} UTC",
        worst(one.level for one in found),
        tuple(FACTS[name].title for name in _COLUMNS),
        tuple(database(one, now, handbook) for one in homes),
        tuple(_fleets([one for one in found if not one.place.home], now, handbook)),
    )


def database(one: Snapshot, now: datetime, handbook: str) -> DatabaseView:
    """One snapshot."""
    values = {name: fact.value for name, fact in one.facts.items() if isinstance(fact, Known)}
    last, doing, drift = (values.get(name) for name in ("last", "now", "drift"))
    tries = last if isinstance(last, Last) else None
    facts = tuple(_fact(name, fact, now, handbook) for name, fact in one.facts.items())
    if not values and len({(fact.said, fact.next_step) for fact in facts}) == 1:
        facts = (replace(facts[0], title="everything"),)
    return DatabaseView(
        one.place.label,
        anchor(one.place.label),
        one.level,
        facts,
        tuple(fact for fact in facts if fact.name in _COLUMNS),
        tries,
        chart(tries.ran) if tries and tries.ran else None,
        doing if isinstance(doing, Now) else None,
        drift if isinstance(drift, Drift) else None,
    )


@dataclass(frozen=True)
class MigrationRow:
    """One migration in one environment. ``ran``: its last try, where that is one of the last twenty."""

    label: str
    level: Level
    said: str
    ran: Ran | None


@dataclass(frozen=True)
class MigrationView:
    """One migration across environments; no rows where nobody has heard of it."""

    label: str
    rows: tuple[MigrationRow, ...]


def migration(version: str, found: Sequence[Snapshot]) -> MigrationView:
    """The migration ``version`` in each environment's own database."""
    rows, heard, label = [], False, version
    there = [fact.value for one in found if isinstance(fact := one.facts["migrations"], Known)]
    gone = any(
        isinstance(value, Migrations)
        and any((w.version, w.state) == (version, "missing") for w in value.wrong)
        for value in there
    )
    for one in found:
        if not one.place.home:
            continue
        fact, tries = one.facts["migrations"], one.facts["last"]
        known = fact.value if isinstance(fact, Known) else None
        last = tries.value if isinstance(tries, Known) else None
        ran = next((r for r in last.ran if r.version == version), None) if isinstance(last, Last) else None
        pending = isinstance(known, Migrations) and any(_is(version, name) for name in known.pending)
        heard = heard or bool(ran) or pending
        if ran is not None:
            label = ran.label
        if not isinstance(known, Migrations):
            level, said = Level.UNKNOWN, "nobody knows"
        elif wrong := next((w for w in known.wrong if w.version == version), None):
            level, said = Level.ATTENTION, wrong.state
        elif pending:
            level, said = Level.WELL, "pending"
        elif ran is not None:
            level = Level.WELL if ran.outcome in ("done", "running") else Level.ATTENTION
            said = f"{ran.direction} {ran.outcome}"
        else:
            level, said = Level.WELL, "not applied" if gone else "applied"
        rows.append(MigrationRow(one.place.label, level, said, ran))
    return MigrationView(label, tuple(rows) if heard else ())


def _is(version: str, name: str) -> bool:
    return name == version or name.startswith(f"{version}_")


def anchor(label: str) -> str:
    """A name for a place on a page: letters, digits, and the numbers of all other signs."""
    return "db-" + "".join(c if c.isascii() and c.isalnum() else f"_{ord(c):x}_" for c in label)


def _fact(name: str, fact: Fact, now: datetime, handbook: str) -> FactView:
    at = fact.measured_at if isinstance(fact, Known) else fact.last_seen
    age = f"{told(now - at)} ago" if at else "never seen"
    return FactView(
        name,
        FACTS[name].title,
        fact.level,
        fact.said,
        age if isinstance(fact, Known) or not at else f"last seen {age}",
        f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "",
        tuple((one.said, one.next_step, one.statement) for one in fact.findings),
        "" if isinstance(fact, Known) else fact.next_step,
        f"{handbook.rstrip('/')}/{PAGE.removesuffix('.md')}/#{name}" if handbook else "",
    )


def _fleets(members: Sequence[Snapshot], now: datetime, handbook: str) -> Iterator[Fleet]:
    order = list(Level)[::-1]
    for environment, group in groupby(members, key=lambda one: one.place.environment.name):
        found = sorted(group, key=lambda one: order.index(one.level))
        bad = [one for one in found if one.level != Level.WELL]
        yield Fleet(
            environment,
            tuple((level, sum(one.level == level for one in found)) for level in order),
            fleet_map([(one.place.label, one.level) for one in found]),
            tuple(database(one, now, handbook) for one in bad[:_NAMED]),
            max(len(bad) - _NAMED, 0),
        )
