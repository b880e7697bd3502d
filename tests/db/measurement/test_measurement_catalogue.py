"""What this project measures, against a catalogue of operations that was made by other means."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from pgrehearse.measurement.statement.facts import Facts
from pgrehearse.measurement.statement.measure import measure
from pgrehearse.servers import Server
from support.databases import execute, fresh, name_of

from .operations import NON_TRANSACTIONAL, SCHEMA, SHORT, TRANSACTIONAL, Op

#: How often the statements whose locks nobody can look at must come out right.
REPEAT = int(os.environ.get("PGREHEARSE_TEST_REPEAT", "2"))


@pytest.fixture(scope="module")
def template(server: Server) -> Iterator[str]:
    """The catalogue's tables, with nobody connected."""
    with fresh(server) as dsn:
        execute(dsn, SCHEMA)
        yield name_of(dsn)


def differences(op: Op, facts: Facts, major: int) -> list[str]:
    """What the measurement says otherwise, each as ``what: expected, measured``."""
    wanted = {name: SHORT[mode] for name, mode in (lock.split(": ") for lock in op.locks.split(", "))}
    if op.row == "62" and major < 18:
        wanted = {}
    found = {name: facts.locks.get(name) for name in wanted}
    table = "items" if op.row == "55" else op.table
    waiting = {probe for probe, result in facts.probes.get(table, {}).items() if result == "waits"}
    blocks = {
        "R+W": {"SELECT", "SELECT FOR UPDATE", "INSERT", "UPDATE", "DELETE"},
        "W": {"INSERT", "UPDATE", "DELETE"},
        "I": {"INSERT"},
        "": set(),
    }["I" if op.row == "55" else op.blocks]
    rewrites = {"no": [], "index": ["items_title_idx"], "mv": ["mv", "mv_id_idx"]}.get(op.rewrite)
    if rewrites is None:
        rewrites = ["items", "items_pkey", "items_title_idx"]
    scanned = op.table in facts.scans
    pairs = [
        ("lock", wanted, found),
        ("rewrite", rewrites, list(facts.rewrites)),
        ("scan", op.scan, scanned),
        ("waits", sorted(blocks), sorted(waiting)),
        ("SQLSTATE", op.sqlstate, facts.sqlstate),
        ("transactional", op.transactional, facts.transactional),
        ("waits for", op.waits_for, facts.waits_for),
    ]
    return [f"{what}: expected {one}, measured {other}" for what, one, other in pairs if one != other]


@pytest.mark.parametrize("op", TRANSACTIONAL, ids=lambda op: f"{op.row}-{op.statement[:40]}")
def test_transactional(server: Server, template: str, op: Op) -> None:
    if server.major < op.since:
        pytest.skip(f"needs PostgreSQL {op.since}")
    facts = measure(server, template, op.statement, setup=op.setup)
    assert differences(op, facts, server.major) == []
    assert facts.once_unused == ()  # in a transaction each lock queues
    assert Facts.from_json(json.loads(json.dumps(facts.to_json()))).to_json() == facts.to_json()


@pytest.mark.parametrize("op", NON_TRANSACTIONAL, ids=lambda op: f"{op.row}-{op.statement[:40]}")
def test_refusing_a_transaction(server: Server, template: str, op: Op) -> None:
    # VACUUM tries for five seconds to get the lock that somebody else's conflicts with.
    for _ in range(REPEAT if "VACUUM" not in op.statement or not op.setup else max(1, REPEAT // 4)):
        facts = measure(server, template, op.statement, setup=op.setup)
        assert differences(op, facts, server.major) == []
        # Nobody waits for a lock that does not queue: only whoever comes while VACUUM cuts the end off.
        assert facts.once_unused == (("items",) if op.statement == "VACUUM items" and op.setup else ())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            Op("45", "CREATE INDEX ON items (rank)", "items: SUE", scan=True, blocks="W"),
            "lock: expected {'items': 'SHARE UPDATE EXCLUSIVE'}, measured {'items': 'SHARE'}",
        ),
        (
            Op("1", "ALTER TABLE items ADD COLUMN a int", "items: AE", rewrite="table"),
            "rewrite: expected ['items', 'items_pkey', 'items_title_idx'], measured []",
        ),
        (
            Op("31", "ALTER TABLE items ADD CHECK (rank > 0)", "items: AE"),
            "scan: expected False, measured True",
        ),
        (
            Op("45", "CREATE INDEX ON items (rank)", "items: S", scan=True, blocks=""),
            "waits: expected [], measured ['DELETE', 'INSERT', 'UPDATE']",
        ),
        (
            Op("59", "VACUUM items", "items: AE", blocks="", transactional=False),
            "lock: expected {'items': 'ACCESS EXCLUSIVE'}, measured {'items': 'SHARE UPDATE EXCLUSIVE'}",
        ),
        (
            Op("46", "CREATE INDEX CONCURRENTLY z ON items (rank)", "items: SUE", scan=True, blocks=""),
            "transactional: expected True, measured False",
        ),
        (
            Op("15", "ALTER TABLE items ALTER COLUMN id SET NOT NULL", "items: AE", sqlstate="23502"),
            "SQLSTATE: expected 23502, measured ",
        ),
    ],
    ids=lambda value: value.row if isinstance(value, Op) else "",
)
def test_a_wrong_expectation_is_named_with_what_was_measured(
    server: Server, template: str, wrong: Op, said: str
) -> None:
    facts = measure(server, template, wrong.statement, setup=wrong.setup)
    assert said in differences(wrong, facts, server.major)
