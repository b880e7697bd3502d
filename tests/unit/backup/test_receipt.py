"""Receipts: what level they reach, to and from JSON, and what an environment makes of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pgrehearse.backup import receipt_store
from pgrehearse.backup.demand import Demand, best, missing
from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.backup.original import Original
from pgrehearse.backup.proof import Proof, Refused, Unproven
from pgrehearse.backup.receipt import Evidence, Receipt, UnreadableReceipt
from pgrehearse.errors import SetupError

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
GOOD = tuple(Evidence(level, level.word, True, "seen") for level in EvidenceLevel)
RECEIPT = Receipt(
    adapter="pg_basebackup",
    backup="monday",
    digest="d" * 64,
    database="shop",
    system_identifier="7",
    timeline=1,
    start_lsn="0/1",
    end_lsn="0/2",
    major=18,
    bytes=9,
    taken=NOW - timedelta(hours=1),
    verified=NOW,
    expires=NOW + timedelta(hours=23),
    ledger="2",
    canary="c",
    tools={"pg_verifybackup": "18.6"},
    evidence=GOOD,
)
ASKED = Demand(EvidenceLevel.CANARY, timedelta(days=1))


def original(**other: Any) -> Original:
    given: dict[str, Any] = {
        "system_identifier": "7",
        "timeline": 1,
        "superuser": "postgres",
        "bytes": 1,
        "database_bytes": 1,
        "encoding": "UTF8",
        "tablespaces": 0,
        "sees_all": True,
        "wal_segment": 1,
        "now": NOW,
        "versions": ("1", "2"),
        **other,
    }
    made = object.__new__(Original)
    for name, value in {"target": _Named(), "roles": (), **given}.items():
        object.__setattr__(made, name, value)
    return made


class _Named:
    database = "shop"


def test_levels_are_ordered_and_spelled() -> None:
    assert [level.word for level in sorted(EvidenceLevel)] == [
        "listed",
        "read",
        "restored",
        "queried",
        "canary",
    ]
    assert all(EvidenceLevel.of(level.word) is level for level in EvidenceLevel)
    for wrong in ("LISTED", "", "canary read back"):
        with pytest.raises(KeyError):
            EvidenceLevel.of(wrong)


@pytest.mark.parametrize("number", range(5))
def test_a_level_counts_only_with_those_before_it(number: int) -> None:
    lines = list(GOOD)
    lines[number] = replace(lines[number], ok=False)
    reached = replace(RECEIPT, evidence=tuple(lines)).level
    assert reached == (None if number == 0 else EvidenceLevel(number))
    del lines[number]
    assert replace(RECEIPT, evidence=tuple(lines)).level == reached, "nothing looked at is nothing proven"


def test_json_and_back() -> None:
    assert Receipt.from_json(RECEIPT.to_json()) == RECEIPT
    assert replace(RECEIPT, ledger="3").hash != RECEIPT.hash


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("form", 2),
        ("level", "listed"),
        ("taken", "yesterday"),
        ("taken", "2026-06-01T12:00:00"),
        ("major", True),
        ("tools", []),
        ("evidence", [{}]),
        ("evidence", [{**RECEIPT.to_json()["evidence"][0], "damage": 1}]),
        ("evidence", None),
        ("ledger", None),
    ],
)
def test_what_is_spoiled_is_not_read(key: str, value: object) -> None:
    with pytest.raises(UnreadableReceipt):
        Receipt.from_json({**RECEIPT.to_json(), key: value})
    without = RECEIPT.to_json()
    del without[key]
    with pytest.raises(UnreadableReceipt):
        Receipt.from_json(without)


def test_a_file_that_somebody_changed_is_refused(tmp_path: Any) -> None:
    file = receipt_store.to_file(tmp_path / "receipt.json", RECEIPT)
    assert receipt_store.from_file(file) == RECEIPT
    file.write_text(file.read_text("utf-8").replace('"monday"', '"sunday"'), "utf-8")
    with pytest.raises(SetupError, match="changed by hand"):
        receipt_store.from_file(file)


def test_a_good_one_lacks_nothing() -> None:
    assert missing(RECEIPT, ASKED, original(), NOW) == []


@pytest.mark.parametrize(
    ("receipt", "given", "check"),
    [
        ({}, {"system_identifier": "8"}, "identity"),
        ({"database": "other"}, {}, "identity"),
        ({}, {"timeline": 2}, "identity"),
        ({"taken": NOW - timedelta(days=2)}, {}, "age"),
        ({"expires": NOW - timedelta(seconds=1)}, {}, "age"),
        ({"taken": NOW + timedelta(days=1)}, {}, "age"),
        ({}, {"versions": ("1", "2", "3")}, "ledger"),
        ({}, {"versions": ()}, "ledger"),
        ({"evidence": GOOD[:4]}, {}, "level"),
        ({"evidence": ()}, {}, "level"),
    ],
)
def test_what_is_missing_is_named(receipt: dict[str, Any], given: dict[str, Any], check: str) -> None:
    found = missing(replace(RECEIPT, **receipt), ASKED, original(**given), NOW)
    assert [one.check for one in found] == [check]
    assert all(one.next_step for one in found)


def test_the_lines_that_are_missing_follow_the_level() -> None:
    lines = (*GOOD[:4], replace(GOOD[4], ok=False, said="the copy holds no canary"))
    found = missing(replace(RECEIPT, evidence=lines), ASKED, original(), NOW)
    assert [one.said for one in found] == [
        "queried, and canary read back is asked for",
        "the copy holds no canary",
    ]
    assert (
        missing(replace(RECEIPT, evidence=lines), Demand(EvidenceLevel.QUERIED, ASKED.age), original(), NOW)
        == []
    )


def test_damage_beyond_what_is_asked_is_damage() -> None:
    lines = (*GOOD[:3], replace(GOOD[3], ok=False, damage=True, said="an index lacks rows"))
    found = missing(
        replace(RECEIPT, evidence=lines), Demand(EvidenceLevel.RESTORED, ASKED.age), original(), NOW
    )
    assert [one.said for one in found] == ["an index lacks rows"]
    assert not Demand(EvidenceLevel.RESTORED, ASKED.age).met(replace(RECEIPT, evidence=lines))
    unproven = (*GOOD[:3], replace(GOOD[3], ok=False))
    assert Demand(EvidenceLevel.RESTORED, ASKED.age).met(replace(RECEIPT, evidence=unproven))


def test_the_newest_that_is_enough_counts() -> None:
    worse = replace(RECEIPT, backup="tuesday", evidence=())
    assert best([], ASKED, original(), NOW) is None
    found = best([worse, RECEIPT], ASKED, original(), NOW)
    assert found == (RECEIPT, [])
    found = best([worse], ASKED, original(), NOW)
    assert found is not None
    assert found[1]


def test_production_asks_more_than_others() -> None:
    assert Demand.of("production") == Demand(EvidenceLevel.CANARY, timedelta(days=1))
    assert Demand.of("staging") == Demand(EvidenceLevel.RESTORED, timedelta(days=7))
    assert Demand.of("production", "listed", timedelta(1)).level is EvidenceLevel.LISTED


def test_what_cannot_be_shown_stops_nothing_and_damage_does() -> None:
    proof = Proof()
    with proof.proving(EvidenceLevel.READ, "one"):
        raise Unproven("no tool", "install it")
    with pytest.raises(Refused), proof.proving(EvidenceLevel.READ, "two"):
        raise Refused("damaged", "take another")
    with pytest.raises(Refused), proof.proving(EvidenceLevel.RESTORED, "three"):
        raise SetupError("no room", next_step="make some")
    assert [(one.check, one.ok, one.said, one.next_step) for one in proof.lines] == [
        ("one", False, "no tool", "install it"),
        ("two", False, "damaged", "take another"),
        ("three", False, "no room", "make some"),
    ]
