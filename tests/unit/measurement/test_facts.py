"""Facts as JSON, and back, whatever the tables are called."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.measurement.statement.facts import (
    MODES,
    PROBES,
    Facts,
    Through,
    all_through,
    strongest,
    together,
)

NAMES = st.sampled_from(["items", "shop.item", '"Odd; name"', "größe", "type store", "idx"])
LISTS = st.lists(NAMES, max_size=3, unique=True).map(tuple)
FACTS = st.builds(
    Facts,
    locks=st.dictionaries(NAMES, st.sampled_from(MODES)),
    rewrites=LISTS,
    scans=LISTS,
    probes=st.dictionaries(NAMES, st.dictionaries(st.sampled_from(PROBES), st.sampled_from(["ok", "waits"]))),
    row_locks=LISTS,
    transactional=st.booleans(),
    waits_for=st.lists(st.sampled_from([*MODES, "old snapshots"]), max_size=2).map(tuple),
    sqlstate=st.sampled_from(["", "55P03"]),
    messages=st.lists(st.text(max_size=5), max_size=2).map(tuple),
    wal_bytes=st.integers(0, 1 << 40),
    seconds=st.floats(0, 100).map(lambda value: round(value, 3)),
)


@given(FACTS)
def test_what_is_written_is_read(facts: Facts) -> None:
    written = json.loads(json.dumps(facts.to_json()))
    again = Facts.from_json(written)
    assert again.to_json() == facts.to_json() == written
    assert again.probes == facts.probes
    assert (again.blocks_reads, again.blocks_writes) == (facts.blocks_reads, facts.blocks_writes)


@given(FACTS, FACTS)
def test_equal_facts_are_written_alike_in_any_order(one: Facts, other: Facts) -> None:
    turned = Facts(
        **{
            **vars(one),
            "locks": dict(reversed(list(one.locks.items()))),
            "probes": dict(reversed(list(one.probes.items()))),
            "rewrites": one.rewrites[::-1],
            "scans": one.scans[::-1],
            "wal_bytes": other.wal_bytes,
            "seconds": other.seconds,
        }
    )
    assert json.dumps(turned.comparable()) == json.dumps(one.comparable())


#: A value of each field that `Facts()` does not have.
TOLD: dict[str, object] = {
    "locks": {"items": "SHARE"},
    "rewrites": ("items",),
    "scans": ("items",),
    "probes": {"items": {"SELECT": "waits"}},
    "through": {"items": Through(("items_1",), ("INSERT",))},
    "row_locks": ("items",),
    "transactional": False,
    "waits_for": ("SHARE",),
    "sqlstate": "55P03",
    "messages": ("rewriting",),
    "changed": {"items": 3},
    "wal_bytes": 1,
    "seconds": 1.0,
}
#: What one statement of several did says nothing of all: an error, its words, the whole server's WAL, time.
NOT_TOGETHER = {"sqlstate", "messages", "changed", "wal_bytes", "seconds"}
#: What depends on the rows that were there.
NOT_WRITTEN = {"changed"}


@pytest.mark.parametrize("name", [field.name for field in fields(Facts)])
def test_no_field_is_forgotten(name: str) -> None:
    facts = Facts(**{"probes": TOLD["probes"], name: TOLD[name]})  # type: ignore[arg-type]
    read = getattr(Facts.from_json(facts.to_json()), name)
    assert (read == TOLD[name]) != (name in NOT_WRITTEN), "written and read"
    assert (getattr(together([Facts(), facts]), name) == TOLD[name]) != (name in NOT_TOGETHER)


def test_nothing_is_written_of_nothing() -> None:
    assert Facts().comparable() == {"transactional": True}
    assert Facts(transactional=False).comparable() == {"transactional": False}


@pytest.mark.parametrize("value", [{}, {"transactional": True}, {"waiting": [], "transactional": True}])
def test_something_else_is_no_facts(value: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, AttributeError)):
        Facts.from_json(value)


@given(st.lists(st.sampled_from(MODES), min_size=1))
def test_the_strongest(modes: list[str]) -> None:
    assert strongest(modes) in modes
    assert all(MODES.index(mode) <= MODES.index(strongest(modes)) for mode in modes)


def test_who_is_kept_from_what() -> None:
    facts = Facts(
        probes={
            "a": {"SELECT": "waits", "INSERT": "ok"},
            "b": {"SELECT": "ok", "DELETE": "waits"},
            "c": {"SELECT FOR UPDATE": "waits"},
            "d": {},
        }
    )
    assert (facts.blocks_reads, facts.blocks_writes) == (("a",), ("b",))


def test_statements_together_stop_what_any_of_them_stops() -> None:
    """What reaches a part waits for one, what goes elsewhere for the other: then all of that kind wait."""
    part = ({"t": PROBES}, {"t": Through(("t_1",), ("INSERT",))})
    other = ({"t": ("SELECT",)}, {"t": Through(("t_2",))})
    assert all_through([part, other]) == {"t": Through(("t_1", "t_2"), ("INSERT",))}
    reads = ({"t": ("SELECT", "DELETE")}, {})
    assert all_through([part, reads]) == {"t": Through(("t_1",), ("SELECT", "INSERT", "DELETE"))}
    assert all_through([part, ({"t": PROBES}, {})]) == {}
    assert all_through([part, ({"u": PROBES}, {})]) == all_through([part])
