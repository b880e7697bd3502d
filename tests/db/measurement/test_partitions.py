"""Who waits for a change of partitions, as a second session finds it by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg
import pytest

from pgrehearse.measurement.advice import partition_way
from pgrehearse.measurement.statement.facts import PROBES, Through
from pgrehearse.measurement.statement.measure import measure
from pgrehearse.servers import Server
from support.databases import execute, fresh, name_of

SCHEMA = """
CREATE TABLE sensor (id int PRIMARY KEY);
CREATE TABLE reading (at int, sensor int REFERENCES sensor) PARTITION BY RANGE (at);
CREATE TABLE reading_1 PARTITION OF reading FOR VALUES FROM (10) TO (20);
CREATE TABLE reading_2 PARTITION OF reading FOR VALUES FROM (20) TO (30);
CREATE TABLE reading_rest PARTITION OF reading DEFAULT PARTITION BY LIST (at);
CREATE TABLE reading_rest_90 PARTITION OF reading_rest FOR VALUES IN (90);
CREATE TABLE reading_3 (at int, sensor int REFERENCES sensor);
CREATE SCHEMA "Odd";
CREATE TABLE "Odd"."Days" (d int PRIMARY KEY, n int) PARTITION BY LIST (d);
CREATE TABLE "Odd"."Day 1" PARTITION OF "Odd"."Days" FOR VALUES IN (1);
CREATE TABLE "Odd"."Day 2" PARTITION OF "Odd"."Days" FOR VALUES IN (2);
CREATE TABLE "Odd"."Day 3" (d int NOT NULL, n int);
CREATE TABLE hour (h int) PARTITION BY LIST (h);
CREATE TABLE hour_1 PARTITION OF hour FOR VALUES IN (1);
CREATE TABLE "hour else" PARTITION OF hour DEFAULT;
CREATE TABLE hour_2 (h int);
INSERT INTO hour VALUES (1), (24);
INSERT INTO sensor VALUES (1), (2);
INSERT INTO reading VALUES (11, 1), (21, 1), (90, 1);
INSERT INTO reading_3 VALUES (31, 1);
INSERT INTO "Odd"."Days" VALUES (1, 1), (2, 2);
"""
#: Requests of one partition only, by the partition: what a pruned SELECT reads, where a row goes.
#: Its sensor is no NULL, for which 19 does not look at the referenced table.
PRUNED = {
    "reading_1": ("SELECT FROM reading WHERE at = 11", "INSERT INTO reading VALUES (12, 1)"),
    "reading_2": ("SELECT FROM reading WHERE at = 21", "INSERT INTO reading VALUES (22, 1)"),
    "reading_rest": ("SELECT FROM reading WHERE at = 90", "INSERT INTO reading VALUES (90, 1)"),
    '"Odd"."Day 1"': (
        'SELECT FROM "Odd"."Days" WHERE d = 1',
        'INSERT INTO "Odd"."Days" VALUES (1, 1) ON CONFLICT DO NOTHING',
    ),
    '"Odd"."Day 2"': (
        'SELECT FROM "Odd"."Days" WHERE d = 2',
        'INSERT INTO "Odd"."Days" VALUES (2, 1) ON CONFLICT DO NOTHING',
    ),
    "hour_1": ("SELECT FROM hour WHERE h = 1", "INSERT INTO hour VALUES (1)"),
    '"hour else"': ("SELECT FROM hour WHERE h = 24", "INSERT INTO hour VALUES (24)"),
}
PARENTS = {
    "reading": ("reading_1", "reading_2", "reading_rest"),
    '"Odd"."Days"': ('"Odd"."Day 1"', '"Odd"."Day 2"'),
    "hour": ("hour_1", '"hour else"'),
}


@pytest.fixture(scope="module")
def template(server: Server) -> Iterator[str]:
    with fresh(server) as dsn:
        execute(dsn, SCHEMA)
        yield name_of(dsn)


def waits(server: Server, database: str, statement: str, requests: Sequence[str]) -> list[str]:
    """Those of ``requests`` that another session cannot carry out while ``statement`` is not committed."""
    found = []
    dsn = server.dsn(database)
    with psycopg.connect(dsn) as one, psycopg.connect(dsn, autocommit=True) as other:
        one.execute(statement)
        other.execute("SET lock_timeout = '50ms'")
        for request in requests:
            try:
                with other.transaction(force_rollback=True):
                    other.execute(request)
            except psycopg.errors.LockNotAvailable:
                found.append(request)
        one.rollback()
    return found


@pytest.mark.parametrize(
    ("statement", "through"),
    [
        (
            # The trigger of the foreign key looks at sensor, whatever partition the row goes to.
            "ALTER TABLE reading ATTACH PARTITION reading_3 FOR VALUES FROM (30) TO (40)",
            {"reading": Through(("reading_rest",), ("INSERT",))},
        ),
        ("ALTER TABLE reading_1 ADD CHECK (at > 0)", {"reading": Through(("reading_1",))}),
        ("CREATE INDEX ON reading_2 (sensor)", {"reading": Through(("reading_2",))}),
        ("TRUNCATE reading_1, reading_2", {"reading": Through(("reading_1", "reading_2"))}),
        ("CREATE TABLE reading_4 PARTITION OF reading FOR VALUES FROM (40) TO (50)", {}),
        (
            "CREATE TABLE reading_80 PARTITION OF reading_rest FOR VALUES IN (80)",
            {"reading": Through(("reading_rest",))},
        ),
        ("ALTER TABLE reading DETACH PARTITION reading_1", {}),
        (
            "ALTER TABLE reading_rest DETACH PARTITION reading_rest_90",
            {"reading": Through(("reading_rest",))},
        ),
        ("DROP TABLE reading_2", {}),
        ("CREATE INDEX ON reading (sensor)", {}),
        ('ALTER TABLE "Odd"."Days" ATTACH PARTITION "Odd"."Day 3" FOR VALUES IN (3)', {}),
        (
            "ALTER TABLE hour ATTACH PARTITION hour_2 FOR VALUES IN (2, 3)",
            {"hour": Through(('"hour else"',))},
        ),
        ('TRUNCATE "Odd"."Day 2"', {'"Odd"."Days"': Through(('"Odd"."Day 2"',))}),
    ],
)
def test_who_waits_is_who_waits_by_hand(
    server: Server, template: str, statement: str, through: dict[str, Through]
) -> None:
    """Requests on a partitioned table wait all, or where they reach the partitions that are named."""
    facts = measure(server, template, statement)
    assert facts.through == through
    for parent, partitions in PARENTS.items():
        for partition in partitions:
            expected = []
            for request, probe in zip(PRUNED[partition], ("SELECT", "INSERT"), strict=True):
                stopped = facts.probes.get(parent, {}).get(probe) == "waits"
                one = facts.through.get(parent)
                if stopped and (one is None or partition in one.parts or probe in one.whole):
                    expected.append(request)
            assert waits(server, template, statement, PRUNED[partition]) == expected, partition


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE reading ATTACH PARTITION reading_3 FOR VALUES FROM (30) TO (40)",
        "CREATE TABLE reading_4 PARTITION OF reading FOR VALUES FROM (40) TO (50)",
        "ALTER TABLE reading DETACH PARTITION reading_1",
        "DROP TABLE reading_1",
    ],
)
def test_the_referenced_table_waits_as_by_hand(server: Server, template: str, statement: str) -> None:
    """A foreign key of the partitioned table: some majors lock the table that it names, some do not."""
    facts = measure(server, template, statement)
    requests = {
        "SELECT": "SELECT FROM sensor",
        "INSERT": "INSERT INTO sensor VALUES (3)",
        "UPDATE": "UPDATE sensor SET id = id WHERE id = 2",
        "DELETE": "DELETE FROM sensor WHERE id = 2",
    }
    by_hand = waits(server, template, statement, list(requests.values()))
    said = [probe for probe in PROBES if facts.probes.get("sensor", {}).get(probe) == "waits"]
    assert [probe for probe in said if probe in requests] == [
        probe for probe, request in requests.items() if request in by_hand
    ]


@pytest.mark.parametrize("null", ["", " NOT NULL"])
@pytest.mark.parametrize(
    ("kind", "old", "new", "bound"),
    [
        ("RANGE", "FROM (0) TO (10)", "FROM (10) TO (20)", "a >= 10 AND a < 20"),
        ("LIST", "IN (0, 1)", "IN (10, 11)", "a IN (10, 11)"),
    ],
)
def test_the_checks_of_the_advice_spare_the_scans(
    server: Server, kind: str, old: str, new: str, bound: str, null: str
) -> None:
    attach = f"ALTER TABLE t ATTACH PARTITION t_new FOR VALUES {new}"
    with fresh(server) as dsn:
        execute(
            dsn,
            f"CREATE TABLE t (a int{null}) PARTITION BY {kind} (a);"
            f"CREATE TABLE t_old PARTITION OF t FOR VALUES {old};"
            "CREATE TABLE t_rest PARTITION OF t DEFAULT;"
            f"CREATE TABLE t_new (a int{null});"
            "INSERT INTO t VALUES (1), (100); INSERT INTO t_new VALUES (11);",
        )
        name = name_of(dsn)
        assert measure(server, name, attach).scans == ("t_new", "t_rest")
        assert partition_way(attach, default="t_rest", scans=True).count("CHECK") == 2
        for table, check in (("t_new", f"a IS NOT NULL AND {bound}"), ("t_rest", f"NOT ({bound})")):
            add = f"ALTER TABLE {table} ADD CONSTRAINT c CHECK ({check})"
            execute(dsn, f"{add} NOT VALID; ALTER TABLE {table} VALIDATE CONSTRAINT c")
        assert measure(server, name, attach).scans == ()
