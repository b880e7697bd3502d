"""The fact about backups: what receipts say, held against what the environment asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pgrehearse import clock
from pgrehearse.backup import receipt_store
from pgrehearse.backup.levels import EvidenceLevel as Proven
from pgrehearse.backup.receipt import Evidence, Receipt
from pgrehearse.status.fact import Known, Level, Unknown
from support.databases import Owned, execute
from support.snapshots import Seen, known, place_of


@pytest.fixture
def asked(seen: Seen, owned: Owned) -> Seen:
    """An environment that asks for a restored backup, at its first migration."""
    seen.place = place_of(owned.admin, without=())
    seen.migration(1, "CREATE TABLE shop (id int);")
    seen.up()
    return seen


def receipt(owned: Owned, upto: Proven, **other: object) -> Receipt:
    """Of a backup taken an hour ago, proven up to a level."""
    ((identifier,),) = execute(owned.admin, "SELECT system_identifier::text FROM pg_control_system()")
    now = clock.now()
    found = Receipt(
        adapter="pg_basebackup",
        backup="base",
        digest="d" * 64,
        database=owned.name,
        system_identifier=identifier,
        timeline=1,
        start_lsn="0/1",
        end_lsn="0/2",
        major=owned.server.major,
        bytes=1,
        taken=now - timedelta(hours=1),
        verified=now,
        expires=now + timedelta(days=30),
        ledger="1",
        evidence=tuple(Evidence(level, "looked", True, "it is so") for level in Proven if level <= upto),
    )
    return replace(found, **other)  # type: ignore[arg-type]


def test_a_backup_that_nobody_verified_needs_a_person(asked: Seen) -> None:
    assert asked.fact("backup").said == "none verified"
    assert asked.said("backup") == [f"no backup of it was verified; {Proven.RESTORED.said} is asked for"]


def test_a_receipt_that_is_enough(asked: Seen, owned: Owned) -> None:
    receipt_store.keep(owned.admin, receipt(owned, Proven.QUERIED))
    fact = asked.fact("backup")
    assert isinstance(fact, Known)
    assert fact.level == Level.WELL, fact.findings
    assert fact.said.startswith(f"{Proven.QUERIED.said}, taken 1 h")
    assert [line.level for line in known(fact).lines] == [one.word for one in Proven if one <= Proven.QUERIED]


def test_what_a_receipt_lacks(asked: Seen, owned: Owned) -> None:
    cases = {
        "level": receipt(owned, Proven.READ),
        "age": receipt(owned, Proven.CANARY, taken=clock.now() - timedelta(days=8)),
        "identity": receipt(owned, Proven.CANARY, system_identifier="1"),
        "ledger": receipt(owned, Proven.CANARY, ledger="0"),
    }
    for check, one in cases.items():
        receipt_store.keep(owned.admin, replace(one, digest=check[0] * 64))
        (said,) = asked.said("backup")
        assert said.startswith(f"base, {check}: "), said


def test_a_receipt_that_was_changed_by_hand_is_unknown(asked: Seen, owned: Owned) -> None:
    receipt_store.keep(owned.admin, receipt(owned, Proven.READ))
    execute(
        owned.admin,
        "UPDATE pgrehearse.receipt SET receipt = jsonb_set(receipt, '{database}', '\"other\"')",
    )
    fact = asked.fact("backup")
    assert isinstance(fact, Unknown)
    assert "changed by hand" in fact.reason
