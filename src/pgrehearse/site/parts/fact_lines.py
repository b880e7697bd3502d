"""What was measured, as a reader sees it: a line below each block of DDL, and the lock reference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pgrehearse.measurement.evidence.cells import CellEvidence, StatementEvidence, cell_key
from pgrehearse.measurement.statement.facts import MODES, Facts, strongest
from pgrehearse.site.markup import render
from pgrehearse.text.document import Cell

__all__ = [
    "anchor",
    "blocked",
    "fact_lines",
    "grouped",
    "main_locks",
    "majors_range",
    "own_waits",
    "some",
    "together",
    "words",
]

_WRITES = ("INSERT", "UPDATE", "DELETE")
#: Modes that reading and writing rows takes: they say nothing about a change of the schema.
_OF_ROWS = ("ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE")
#: Relations named in a line; the rest are counted.
_NAMED = 3


def anchor(cell: Cell, among: Sequence[Cell]) -> str:
    """The id a cell's block has on its page, so that what was measured can be linked to."""
    return f"measured-{cell_key(cell, among)}"


def fact_lines(evidence: CellEvidence | None) -> str:
    """HTML below a block: for each statement what it locks, rewrites and reads, and who waits."""
    if evidence is None or not evidence.statements:
        return ""
    several = len(evidence.statements) > 1
    lines = [
        {
            "statement": _shortened(statement.sql) if several else "",
            "said": "; ".join(words(facts)),
            "majors": majors_range(majors),
        }
        for statement in evidence.statements
        for majors, facts in grouped(statement)
    ]
    return render("fact_lines", lines=lines)


def _shortened(sql: str) -> str:
    return sql if len(sql) <= 60 else sql[:59] + "…"


def grouped(statement: StatementEvidence) -> list[tuple[list[str], Facts]]:
    """Majors that saw the same, together."""
    groups: list[tuple[list[str], Facts]] = []
    for major, facts in sorted(statement.facts.items()):
        same = next((group for group in groups if group[1].comparable() == facts.comparable()), None)
        if same is None:
            groups.append(([major], facts))
        else:
            same[0].append(major)
    return groups


def majors_range(majors: Sequence[str]) -> str:
    """``15–18`` for neighbors, ``15, 17`` for others."""
    numbers = sorted(map(int, majors))
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]}–{numbers[-1]}"
    return ", ".join(map(str, numbers))


def words(facts: Facts) -> list[str]:
    """The facts as short phrases, the lock first."""
    found = [locked(facts)]
    found.append(f"rewrites {some(facts.rewrites)}" if facts.rewrites else "no rewrite")
    found.append(f"reads all of {some(facts.scans)}" if facts.scans else "no full scan")
    found.append(waiting(facts))
    if facts.waits_for:
        found.append("waits for " + " and ".join(_holder(holder) for holder in facts.waits_for))
    if facts.sqlstate:
        found.append(f"fails with {facts.sqlstate}")
    return found


def locked(facts: Facts) -> str:
    """``ACCESS EXCLUSIVE on wishlist_items``."""
    if not facts.locks:
        return "locks no table"
    modes: dict[str, list[str]] = {}
    for relation, mode in facts.locks.items():
        modes.setdefault(mode, []).append(relation)
    return ", ".join(f"{mode} on {some(relations)}" for mode, relations in modes.items())


def main_locks(facts: Facts) -> dict[str, list[str]]:
    """Mode -> relations: the strongest mode on a table, and a stronger one on something else.

    That is how DROP INDEX CONCURRENTLY is told from DROP INDEX. A table that is locked as by any query is
    not named beside an index that is locked harder.
    """
    on_tables = {relation: mode for relation, mode in facts.locks.items() if relation in facts.probes}
    others = {relation: mode for relation, mode in facts.locks.items() if relation not in facts.probes}
    found: dict[str, list[str]] = {}
    first = strongest(list(on_tables.values())) if on_tables else ""
    second = strongest(list(others.values())) if others else ""
    if second and first and MODES.index(second) <= MODES.index(first):
        second = ""
    if first and not (second and first in _OF_ROWS):
        found[first] = [relation for relation, mode in on_tables.items() if mode == first]
    if second:
        found[second] = [relation for relation, mode in others.items() if mode == second]
    return found


def waiting(facts: Facts) -> str:
    """Whom the statement keeps waiting, by table."""
    parts = blocked(facts)
    if not parts:
        return "only writers of the same rows wait" if facts.row_locks else "nobody waits"
    return " and ".join(parts) + " wait"


def blocked(facts: Facts) -> list[str]:
    """``readers and writers of items``, ``DELETE on users``: who waits, empty when nobody does."""
    reads, writes = set(facts.blocks_reads), set(facts.blocks_writes)
    parts = [f"readers and writers of {some(sorted(reads & writes))}"] if reads & writes else []
    parts += [f"readers of {some(sorted(reads - writes))}"] if reads - writes else []
    for table in sorted(writes - reads):
        probes = [name for name, result in facts.probes[table].items() if result == "waits"]
        stopped = [probe for probe in probes if probe in _WRITES]
        all_of_them = len(stopped) == len(_WRITES)
        parts.append(f"writers of {table}" if all_of_them else f"{' and '.join(stopped)} on {table}")
    return parts


def own_waits(facts: Facts) -> str:
    """Whom the statement itself waits for although their locks do not conflict; empty for nobody."""
    found = []
    if "ACCESS SHARE" in facts.waits_for:
        found.append("transactions on the table")
    elif any(holder in _OF_ROWS for holder in facts.waits_for):
        found.append("writers in progress")
    if "old snapshots" in facts.waits_for:
        found.append("old snapshots")
    return " and ".join(found)


def together(several: Sequence[Facts]) -> Facts:
    """What several statements did, as if they were one: the strongest locks, all rewrites, all who waited."""
    locks: dict[str, list[str]] = {}
    probes: dict[str, dict[str, str]] = {}
    for facts in several:
        for relation, mode in facts.locks.items():
            locks.setdefault(relation, []).append(mode)
        for table, results in facts.probes.items():
            known = probes.setdefault(table, {})
            known |= {probe: result for probe, result in results.items() if known.get(probe) != "waits"}
    return Facts(
        locks={relation: strongest(modes) for relation, modes in sorted(locks.items())},
        probes=dict(sorted(probes.items())),
        rewrites=_union(facts.rewrites for facts in several),
        scans=_union(facts.scans for facts in several),
        row_locks=_union(facts.row_locks for facts in several),
        waits_for=_union(facts.waits_for for facts in several),
        transactional=all(facts.transactional for facts in several),
    )


def _union(tuples: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in tuples for name in names))


def _holder(holder: str) -> str:
    return holder if holder == "old snapshots" else f"transactions holding {holder}"


def some(names: Iterable[str]) -> str:
    """Names as a list in words; beyond three the rest is counted."""
    listed = list(names)
    more = len(listed) - _NAMED
    return ", ".join(listed[:_NAMED]) + (f" and {more} more" if more > 0 else "")
