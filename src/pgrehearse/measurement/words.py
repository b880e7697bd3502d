"""What was measured, in words: who waits and for how long, what is locked, whom a statement waits for.

The one wording of pages, xray, policy and reports. It is text; pages escape it.

Readers wait where SELECT does, writers where INSERT, UPDATE and DELETE do. Where only some of these wait they
are named: ``DELETE on users``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from pgrehearse.measurement.statement.facts import MODES, PROBES, WRITES, Facts, Through, strongest

__all__ = [
    "blocked",
    "claim_of",
    "for_a_moment",
    "how_long",
    "lasting",
    "locked",
    "longest_wait",
    "main_locks",
    "own_waits",
    "phrases",
    "requested",
    "requests",
    "some",
    "waited_for",
    "waiting",
    "who",
    "who_waits",
]

#: Modes that reading and writing rows takes: they say nothing about a change of the schema.
_OF_ROWS = ("ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE")
#: Relations named in a line; the rest are counted.
_NAMED = 3
_OLD_SNAPSHOTS = "old snapshots"
_BOTH = "readers and writers"
#: How long and when they wait for a lock that is taken only where it is free.
_ONCE_UNUSED = "for a moment, once nobody uses it"


# --- who waits ------------------------------------------------------------------------------------------


def who(probes: Collection[str]) -> str:
    """The people whose requests ``probes`` are: ``readers and writers``, ``writers``, ``INSERT and UPDATE``.

    Empty where row locks alone wait.
    """
    stopped = [probe for probe in WRITES if probe in probes]
    writers = "writers" if len(stopped) == len(WRITES) else " and ".join(stopped)
    if "SELECT" in probes:
        return _BOTH if stopped else "readers"
    return writers


def requested(
    waits: Mapping[str, Collection[str]], through: Mapping[str, Through]
) -> list[tuple[str, str, Collection[str]]]:
    """Table, which requests on it (`` that reach items_1``, empty for all), probes that wait; by table."""
    found: list[tuple[str, str, Collection[str]]] = []
    for table, probes in sorted(waits.items()):
        one = through.get(table)
        if one is None or one.whole:
            found.append((table, "", probes if one is None else one.whole))
        if one is not None:
            found.append((table, f" that reach {some(one.parts)}", probes))
    return found


def blocked(waits: Mapping[str, Collection[str]], through: Mapping[str, Through]) -> list[str]:
    """``readers and writers of items``, ``DELETE on users``: by table, empty when nobody waits.

    Args:
        waits: table -> probes that wait.
        through: as in the facts: ``writers of a that reach a_1``.
    """
    found = [(table, reach, who(probes)) for table, reach, probes in requested(waits, through)]
    parts = []
    for people in (_BOTH, "readers"):
        if tables := [table for table, reach, said in found if said == people and not reach]:
            parts.append(f"{people} of {some(tables)}")
    for table, reach, said in found:
        if said and (reach or not said.startswith("readers")):
            of = "of" if said == "writers" or said.startswith("readers") else "on"
            parts.append(f"{said} {of} {table}{reach}")
    return parts


def waiting(facts: Facts, *, in_turn: bool = False) -> str:
    """``readers and writers of items wait``, ``nobody waits``: a sentence.

    ``in_turn``: it works in several transactions, and keeps its strong lock for the end of it only.
    """
    parts = blocked(facts.waits, facts.through)
    found = [" and ".join(parts) + (" wait for a moment at its end" if in_turn else " wait")] if parts else []
    if facts.once_unused:
        found.append(f"{_BOTH} of {some(facts.once_unused)} wait {_ONCE_UNUSED}")
    if found:
        return ", and ".join(found)
    return "only writers of the same rows wait" if facts.row_locks else "nobody waits"


def for_a_moment(tables: Collection[str], *, by_table: bool) -> str:
    """``readers and writers of items, for a moment, once nobody uses it``: who meets a lock never queued for.

    ``tables``: as `Facts.once_unused`; empty without. ``by_table`` as in `who_waits`.
    """
    if not tables:
        return ""
    return f"{_BOTH}{f' of {some(tables)}' if by_table else ''}, {_ONCE_UNUSED}"


def who_waits(facts: Facts, *, by_table: bool) -> str:
    """Whom the statement keeps waiting, as an entry of a table.

    ``by_table``: with the tables; else ``readers and writers``, on whatever table.
    """
    if by_table:
        found = blocked(facts.waits, facts.through)
    else:
        everywhere = {probe for probes in facts.waits.values() for probe in probes}
        found = [who(everywhere) or "row locks"] if everywhere else []
    said = [one for one in (", ".join(found), for_a_moment(facts.once_unused, by_table=by_table)) if one]
    return "; ".join(said) or ("writers of the same rows" if facts.row_locks else "nobody")


def requests(probes: Collection[str]) -> str:
    """The requests that wait, row locks included: ``reads and writes``, ``DELETE, SELECT FOR UPDATE``."""
    writes = set(WRITES) <= set(probes)
    if "SELECT" in probes:
        return "reads and writes" if writes else "reads"
    return "writes" if writes else ", ".join(probe for probe in PROBES if probe in probes)


def claim_of(several: Sequence[Facts]) -> str:
    """Whom statements keep waiting, in the words of the claim ``blocks``."""
    reads = any(facts.blocks_reads for facts in several)
    writes = any(facts.blocks_writes for facts in several)
    if reads:
        return "reads and writes" if writes else "reads"
    return "writes" if writes else "nothing"


# --- for how long ---------------------------------------------------------------------------------------


def lasting(seconds: float) -> str:
    """A duration as people say it: ``0.4 s``, ``150 s``, ``6 min``, ``1 h 20 min``."""
    if seconds < 1:
        return f"{seconds:.1f} s" if seconds >= 0.1 else "0.1 s"
    if seconds < 179.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def how_long(*, in_transaction: bool, in_turn: bool, rewrites: Sequence[str], stalls: Sequence[str]) -> str:
    """How long they wait. A statement keeps all its locks while it reads or writes a table whole.

    ``in_turn``: it works in several transactions, and keeps its strong lock for the end of it only.
    """
    if in_transaction:
        return "until the transaction ends"
    if in_turn:
        return "for a moment"
    if rewrites:
        return f"while {rewrites[0]} is rewritten"
    return f"while {stalls[0]} is read whole" if stalls else "for a moment"


def longest_wait(ways: Mapping[str, Mapping[str, Any]]) -> str:
    """``longest wait: unsafe 1900 ms, safe 12 ms``: the longest gap or request of each way, if any."""
    longest = {
        way: max(float(measured[kind][key]) for kind in ("reads", "writes") for key in ("gap_ms", "worst_ms"))
        for way, measured in ways.items()
    }
    words = ", ".join(f"{way} {value:.0f} ms" for way, value in longest.items())
    return f"longest wait: {words}" if words else ""


# --- whom the statement waits for -----------------------------------------------------------------------


def waited_for(waits_for: Sequence[str], holders: str = "transactions holding") -> str:
    """``transactions holding SHARE and old snapshots``: whom the statement itself waits for."""
    return " and ".join(name if name == _OLD_SNAPSHOTS else f"{holders} {name}" for name in waits_for)


def own_waits(facts: Facts) -> str:
    """The same without modes; empty for nobody."""
    found = []
    if "ACCESS SHARE" in facts.waits_for:
        found.append("transactions on the table")
    elif any(holder in _OF_ROWS for holder in facts.waits_for):
        found.append("writers in progress")
    if _OLD_SNAPSHOTS in facts.waits_for:
        found.append(_OLD_SNAPSHOTS)
    return " and ".join(found)


# --- what it locks --------------------------------------------------------------------------------------


def phrases(facts: Facts, *, in_turn: bool = False) -> list[str]:
    """The facts as short phrases, the lock first; ``in_turn`` as in `waiting`."""
    found = [locked(facts)]
    found.append(f"rewrites {some(facts.rewrites)}" if facts.rewrites else "no rewrite")
    found.append(f"reads all of {some(facts.scans)}" if facts.scans else "no full scan")
    found.append(waiting(facts, in_turn=in_turn))
    if facts.waits_for:
        found.append(f"waits for {waited_for(facts.waits_for)}")
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


def some(names: Iterable[str]) -> str:
    """Names as a list in words; beyond three the rest is counted."""
    listed = list(names)
    more = len(listed) - _NAMED
    return ", ".join(listed[:_NAMED]) + (f" and {more} more" if more > 0 else "")
