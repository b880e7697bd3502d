"""The one wording of who waits, for how long, and for whom: on pages, in xray, in the policy, in reports."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pgrehearse.measurement.statement.facts import MODES, PROBES, Facts, Through
from pgrehearse.measurement.words import (
    blocked,
    claim_of,
    for_a_moment,
    how_long,
    locked,
    longest_wait,
    main_locks,
    own_waits,
    phrases,
    requests,
    some,
    waited_for,
    waiting,
    who,
    who_waits,
)

WRITERS = ("SELECT FOR UPDATE", "INSERT", "UPDATE", "DELETE")


def facts(**waits: tuple[str, ...]) -> Facts:
    """What a statement did that keeps these probes of these tables waiting, and no other."""
    return Facts(
        probes={
            table: {probe: "waits" if probe in stopped else "ok" for probe in PROBES}
            for table, stopped in waits.items()
        }
    )


@pytest.mark.parametrize(
    ("probes", "people", "what"),
    [
        (PROBES, "readers and writers", "reads and writes"),
        (WRITERS, "writers", "writes"),
        (("INSERT", "UPDATE", "DELETE"), "writers", "writes"),
        (("SELECT",), "readers", "reads"),
        (("SELECT", "INSERT"), "readers and writers", "reads"),
        (("DELETE",), "DELETE", "DELETE"),
        (("DELETE", "SELECT FOR UPDATE"), "DELETE", "SELECT FOR UPDATE, DELETE"),
        (("DELETE", "INSERT"), "INSERT and DELETE", "INSERT, DELETE"),
        (("SELECT FOR UPDATE",), "", "SELECT FOR UPDATE"),
        ((), "", ""),
    ],
)
def test_who_and_what(probes: tuple[str, ...], people: str, what: str) -> None:
    assert (who(probes), requests(probes)) == (people, what)


def test_by_table_whole_groups_first_and_parts_by_name() -> None:
    waits = facts(
        z=WRITERS, b=PROBES, a=PROBES, d=("DELETE",), r=("SELECT",), row=("SELECT FOR UPDATE",)
    ).waits
    assert blocked(waits, {}) == [
        "readers and writers of a, b",
        "readers of r",
        "DELETE on d",
        "writers of z",
    ]
    assert blocked({"items": ("DELETE", "INSERT")}, {}) == ["INSERT and DELETE on items"]
    assert blocked({}, {}) == blocked(facts(a=()).waits, {}) == []


def test_requests_that_reach_a_partition_wait_and_others_do_not() -> None:
    waits = facts(t=PROBES, t_1=PROBES, u=("INSERT",)).waits
    through = {"t": Through(("t_1",), ("INSERT",)), "u": Through(("u_1", "u_2"))}
    assert blocked(waits, through) == [
        "readers and writers of t_1",
        "INSERT on t",
        "readers and writers of t that reach t_1",
        "INSERT on u that reach u_1, u_2",
    ]
    assert who_waits(Facts(probes={"t": {"SELECT": "waits"}}, through=through), by_table=True) == (
        "INSERT on t, readers of t that reach t_1"
    )


def test_the_sentence_and_the_entry_of_a_table() -> None:
    two = facts(items=PROBES, users=("DELETE",))
    assert waiting(two) == "readers and writers of items and DELETE on users wait"
    assert who_waits(two, by_table=True) == "readers and writers of items, DELETE on users"
    assert who_waits(two, by_table=False) == "readers and writers"
    part = facts(users=("DELETE",))
    assert (who_waits(part, by_table=True), who_waits(part, by_table=False)) == ("DELETE on users", "DELETE")
    parts = facts(items=("INSERT", "UPDATE"), users=("DELETE",))
    assert who_waits(parts, by_table=False) == "writers", "whatever the table"


def test_nobody_and_those_of_the_same_rows() -> None:
    free, rows = facts(items=()), Facts(row_locks=("items",))
    assert (waiting(free), who_waits(free, by_table=True)) == ("nobody waits", "nobody")
    assert waiting(rows) == "only writers of the same rows wait"
    assert {who_waits(rows, by_table=how) for how in (True, False)} == {"writers of the same rows"}
    locks = facts(items=("SELECT FOR UPDATE",))
    assert (waiting(locks), who_waits(locks, by_table=False)) == ("nobody waits", "row locks")


def test_the_words_of_the_claim() -> None:
    assert claim_of([]) == claim_of([facts(a=("SELECT FOR UPDATE",))]) == "nothing"
    assert claim_of([facts(a=("DELETE",))]) == "writes"
    assert claim_of([facts(a=("SELECT",))]) == "reads"
    assert claim_of([facts(a=("SELECT",)), facts(b=WRITERS)]) == "reads and writes"


def test_how_long() -> None:
    rewrites, stalls = ["a", "a_pkey"], ["b", "c"]

    def long(*, block: bool = False, in_turn: bool = False, work: bool = True, copies: bool = True) -> str:
        copied, read = rewrites if work and copies else [], stalls if work else []
        return how_long(in_transaction=block, in_turn=in_turn, rewrites=copied, stalls=read)

    assert long(block=True) == long(block=True, work=False) == "until the transaction ends"
    assert long() == "while a is rewritten"
    assert long(copies=False) == "while b is read whole"
    assert long(work=False) == "for a moment"
    assert long(in_turn=True) == "for a moment", "the strong lock comes after the work"


def test_the_longest_wait_of_each_way() -> None:
    unsafe = {"reads": {"gap_ms": 3, "worst_ms": 1900.4}, "writes": {"gap_ms": 20, "worst_ms": 7}}
    safe = {"reads": {"gap_ms": 3, "worst_ms": 4}, "writes": {"gap_ms": 11.6, "worst_ms": 7}}
    said = longest_wait({"unsafe": {**unsafe, "conditions": {}}, "safe": safe})
    assert said == "longest wait: unsafe 1900 ms, safe 12 ms"
    assert longest_wait({}) == ""


def test_whom_the_statement_waits_for() -> None:
    both = ("SHARE", "old snapshots")
    assert waited_for(both) == "transactions holding SHARE and old snapshots"
    assert waited_for(both, "holders of") == "holders of SHARE and old snapshots"
    assert own_waits(Facts(waits_for=("ROW EXCLUSIVE", "old snapshots"))) == (
        "writers in progress and old snapshots"
    )
    assert own_waits(Facts(waits_for=("ACCESS SHARE", "ROW EXCLUSIVE"))) == "transactions on the table"
    assert own_waits(Facts(waits_for=("SHARE",))) == own_waits(Facts()) == ""


def test_phrases() -> None:
    assert phrases(Facts()) == ["locks no table", "no rewrite", "no full scan", "nobody waits"]
    whole = Facts(
        locks={"items": "SHARE", "x": "SHARE"},
        rewrites=("x",),
        scans=("items",),
        sqlstate="23505",
        waits_for=("SHARE",),
    )
    assert phrases(whole) == [
        "SHARE on items, x",
        "rewrites x",
        "reads all of items",
        "nobody waits",
        "waits for transactions holding SHARE",
        "fails with 23505",
    ]


def test_locks() -> None:
    held = Facts(locks={"items": "SHARE", "idx": "ACCESS EXCLUSIVE"}, probes={"items": {}})
    assert locked(held) == "SHARE on items, ACCESS EXCLUSIVE on idx"
    assert main_locks(held) == {"SHARE": ["items"], "ACCESS EXCLUSIVE": ["idx"]}


def test_many_names_are_counted() -> None:
    assert [some("ab"), some("abc"), some("abcde")] == ["a, b", "a, b, c", "a, b, c and 2 more"]


def test_a_lock_taken_once_nobody_uses_the_table_makes_those_wait_who_come_meanwhile() -> None:
    """VACUUM cuts the empty end off so: no probe waited for it, and yet it is no harmless lock."""
    cut = replace(facts(**{"Shop": (), "seen": ()}), locks={"Shop": MODES[-1], "seen": MODES[3]})
    assert cut.once_unused == ("Shop",)
    assert waiting(cut) == "readers and writers of Shop wait for a moment, once nobody uses it"
    assert who_waits(cut, by_table=True) == "readers and writers of Shop, for a moment, once nobody uses it"
    assert who_waits(cut, by_table=False) == "readers and writers, for a moment, once nobody uses it"
    both = replace(facts(Shop=(), other=WRITERS), locks={"Shop": MODES[-1], "other": "SHARE"})
    assert waiting(both) == (
        "writers of other wait, and readers and writers of Shop wait for a moment, once nobody uses it"
    )
    assert (
        who_waits(both, by_table=False) == "writers; readers and writers, for a moment, once nobody uses it"
    )


def test_a_lock_that_queues_or_that_no_reader_meets_is_none_of_these() -> None:
    queued = replace(facts(items=PROBES, index=()), locks={"items": MODES[-1], "items_pkey": MODES[-1]})
    assert queued.once_unused == ()  # nobody was asked about an index
    assert for_a_moment((), by_table=True) == ""
    assert replace(facts(items=()), locks={"items": "EXCLUSIVE"}).once_unused == ()
