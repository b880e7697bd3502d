"""What was measured, as a reader sees it: a line below each block of DDL, and the lock reference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from pgrehearse.measurement.evidence import CellEvidence, StatementEvidence
from pgrehearse.measurement.facts import Facts

__all__ = ["fact_lines", "grouped", "majors_range", "words"]

_WRITES = ("INSERT", "UPDATE", "DELETE")
#: Relations named in a line; the rest are counted.
_NAMED = 3


def fact_lines(evidence: CellEvidence | None) -> str:
    """HTML below a block: for each statement what it locks, rewrites and reads, and who waits."""
    if evidence is None or not evidence.statements:
        return ""
    several = len(evidence.statements) > 1
    items = "".join(
        f"<li>{_statement(statement) if several else ''}"
        f"{escape('; '.join(words(facts)))} <small>PostgreSQL {majors_range(majors)}</small></li>"
        for statement in evidence.statements
        for majors, facts in grouped(statement)
    )
    return f'<div class="run-facts" data-search-exclude><span>Measured</span><ul>{items}</ul></div>'


def _statement(statement: StatementEvidence) -> str:
    shown = statement.sql if len(statement.sql) <= 60 else statement.sql[:59] + "…"
    return f"<code>{escape(shown)}</code> "


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
    found.append(f"rewrites {_some(facts.rewrites)}" if facts.rewrites else "no rewrite")
    found.append(f"reads all of {_some(facts.scans)}" if facts.scans else "no full scan")
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
    return ", ".join(f"{mode} on {_some(relations)}" for mode, relations in modes.items())


def waiting(facts: Facts) -> str:
    """Whom the statement keeps waiting, by table."""
    reads, writes = set(facts.blocks_reads), set(facts.blocks_writes)
    parts = [f"readers and writers of {_some(sorted(reads & writes))}"] if reads & writes else []
    parts += [f"readers of {_some(sorted(reads - writes))}"] if reads - writes else []
    for table in sorted(writes - reads):
        probes = [name for name, result in facts.probes[table].items() if result == "waits"]
        stopped = [probe for probe in probes if probe in _WRITES]
        all_of_them = len(stopped) == len(_WRITES)
        parts.append(f"writers of {table}" if all_of_them else f"{' and '.join(stopped)} on {table}")
    if not parts:
        return "only writers of the same rows wait" if facts.row_locks else "nobody waits"
    return " and ".join(parts) + " wait"


def _holder(holder: str) -> str:
    return holder if holder == "old snapshots" else f"transactions holding {holder}"


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - _NAMED
    return ", ".join(listed[:_NAMED]) + (f" and {more} more" if more > 0 else "")
