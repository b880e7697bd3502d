"""Measuring one statement: what it leaves behind (nothing), whom it reaches, what it refuses."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from pgrehearse.errors import DocumentError, SetupError
from pgrehearse.measurement.statement import client
from pgrehearse.measurement.statement.facts import PROBES, Facts
from pgrehearse.measurement.statement.measure import measure
from pgrehearse.servers import Server
from support.databases import execute, fresh, name_of, names

SCHEMA = """
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int GENERATED ALWAYS AS IDENTITY, parent int REFERENCES parent ON DELETE CASCADE);
CREATE TABLE empty (id serial, note text NOT NULL);
CREATE TABLE "Odd name" ("a b" int);
CREATE SCHEMA shop;
CREATE TABLE shop.item (n int);
CREATE SCHEMA stall;
CREATE TABLE stall.item (n int);
CREATE TABLE part (y int) PARTITION BY LIST (y);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
INSERT INTO parent SELECT generate_series(1, 20);
INSERT INTO child (parent) SELECT generate_series(1, 20);
INSERT INTO part SELECT 1 FROM generate_series(1, 20);
CREATE TABLE tree (y int) PARTITION BY LIST (y);
CREATE TABLE tree_1 PARTITION OF tree FOR VALUES IN (1);
CREATE TABLE tree_rest PARTITION OF tree DEFAULT PARTITION BY LIST (y);
CREATE TABLE tree_rest_2 PARTITION OF tree_rest FOR VALUES IN (2);
INSERT INTO tree VALUES (1), (2);
CREATE INDEX tree_y ON ONLY tree (y);
CREATE INDEX tree_1_y ON tree_1 (y);
CREATE INDEX tree_rest_y ON tree_rest (y);
"""


@pytest.fixture(scope="module")
def template(server: Server) -> Iterator[str]:
    with fresh(server) as dsn:
        execute(dsn, SCHEMA)
        yield name_of(dsn)


def waiting(facts: Facts, table: str) -> list[str]:
    return [probe for probe in PROBES if facts.probes.get(table, {}).get(probe) == "waits"]


@pytest.mark.parametrize(
    "statement", ["TRUNCATE child", "VACUUM FULL child", "DROP TABLE nothing", "SELECT 1/0"]
)
def test_nothing_is_left_behind(server: Server, template: str, statement: str) -> None:
    before = names(server)
    measure(server, template, statement, setup=["DELETE FROM child", "SET lock_timeout = '1s'"])
    assert names(server) == before
    with psycopg.connect(server.dsn(template)) as connection:
        assert connection.execute("SELECT count(*) FROM child").fetchone() == (20,)


def test_the_parent_of_a_locked_child_is_probed(server: Server, template: str) -> None:
    facts = measure(server, template, "TRUNCATE child")
    assert facts.locks == {"child": "ACCESS EXCLUSIVE"}
    assert waiting(facts, "parent") == ["DELETE"]
    assert measure(server, template, "COMMENT ON TABLE child IS 'x'").probes.keys() == {"child"}


def test_the_parent_of_a_locked_partition_is_probed(server: Server, template: str) -> None:
    facts = measure(server, template, "ALTER TABLE part_1 ADD CHECK (y = 1)")
    assert facts.locks == {"part_1": "ACCESS EXCLUSIVE"}
    assert waiting(facts, "part") == list(PROBES)


def test_an_insert_reads_nothing_of_the_table(server: Server, template: str) -> None:
    """An INSERT opens the indexes of the partition it goes to, not those of partitioned tables above it."""
    leaf = measure(server, template, "ALTER INDEX tree_y ATTACH PARTITION tree_1_y")
    assert waiting(leaf, "tree_1") == waiting(leaf, "tree") == list(PROBES)
    middle = measure(server, template, "ALTER INDEX tree_y ATTACH PARTITION tree_rest_y")
    assert middle.locks["tree_rest_y"] == "ACCESS EXCLUSIVE"
    # From 16 on planning a query reads the indexes of partitioned tables too.
    reading = [] if server.major < 16 else [probe for probe in PROBES if probe != "INSERT"]
    assert waiting(middle, "tree_rest") == waiting(middle, "tree") == reading


def test_a_scan_is_that_of_the_table_in_its_schema(server: Server, template: str) -> None:
    assert measure(server, template, "CREATE INDEX CONCURRENTLY ON shop.item (n)").scans == ("shop.item",)
    assert measure(server, template, "CREATE INDEX CONCURRENTLY ON stall.item (n)").scans == ("stall.item",)


def test_an_empty_table_asks_its_sequence(server: Server, template: str) -> None:
    facts = measure(server, template, "ALTER SEQUENCE empty_id_seq CACHE 5")
    assert facts.locks == {"empty_id_seq": "SHARE ROW EXCLUSIVE"}
    assert waiting(facts, "empty") == ["INSERT"]


def test_rows_that_were_changed_make_only_their_writers_wait(server: Server, template: str) -> None:
    facts = measure(server, template, "UPDATE child SET parent = parent")
    assert (waiting(facts, "child"), facts.row_locks) == ([], ("child",))
    assert measure(server, template, "SELECT * FROM child").row_locks == ()


def test_names_that_need_quotes_or_a_schema(server: Server, template: str) -> None:
    facts = measure(server, template, 'LOCK TABLE "Odd name", shop.item IN SHARE MODE')
    assert facts.locks == {'"Odd name"': "SHARE", "shop.item": "SHARE"}
    assert waiting(facts, '"Odd name"') == ["INSERT", "UPDATE", "DELETE"]


@pytest.mark.parametrize("mode", ["ROW SHARE", "ROW EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE"])
def test_a_failed_statement_shows_the_lock_it_asked_for(server: Server, template: str, mode: str) -> None:
    """The conflicts tell every mode from its neighbors; the transaction's own locks are gone."""
    failing = f"DO $$BEGIN LOCK TABLE child IN {mode} MODE; PERFORM 1/0; END$$"
    facts = measure(server, template, failing)
    assert (facts.locks, facts.sqlstate) == ({"child": mode}, "22012")
    passing = measure(server, template, f"LOCK TABLE child IN {mode} MODE")
    assert passing.locks == facts.locks
    if mode not in ("ROW SHARE", "ROW EXCLUSIVE"):
        assert waiting(passing, "child") == waiting(facts, "child")


def test_a_loop_that_commits_is_measured_without_a_transaction(server: Server, template: str) -> None:
    loop = "DO $$BEGIN FOR i IN 1..3 LOOP UPDATE child SET parent = i WHERE id = i; COMMIT; END LOOP; END$$"
    facts = measure(server, template, loop)
    assert (facts.transactional, facts.locks["child"], facts.sqlstate) == (False, "ROW EXCLUSIVE", "")
    assert waiting(facts, "child") == []


def test_set_statements_before_it_hold_for_it(server: Server, template: str) -> None:
    setup = ["SET search_path = shop"]
    assert measure(server, template, "ALTER TABLE item ADD m int", setup=setup).sqlstate == ""
    assert measure(server, template, "ALTER TABLE item ADD m int").sqlstate == "42P01"
    setup = ["CREATE TABLE later (n int)", "CREATE INDEX later_idx ON later (n)"]
    facts = measure(server, template, "DROP INDEX CONCURRENTLY later_idx", setup=setup)
    assert facts.locks["later"] == "SHARE UPDATE EXCLUSIVE"


def test_control_statements_do_nothing(server: Server, template: str) -> None:
    for statement in ("BEGIN", "COMMIT", "/* x */ ROLLBACK"):
        assert measure(server, template, statement).comparable() == Facts().comparable()


def test_what_cannot_be_measured_is_refused(
    server: Server, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DocumentError, match="beyond its database"):
        measure(server, template, "ALTER SYSTEM SET jit = on")
    with pytest.raises(DocumentError, match="before the measured one failed"):
        measure(server, template, "SELECT 1", setup=["SELEC 1"])
    with pytest.raises(SetupError, match="cannot be cloned"):
        measure(server, "no_such_database", "SELECT 1")
    before = names(server)
    monkeypatch.setattr(client, "LIMIT", 0.2)
    with pytest.raises(DocumentError, match="takes longer than"):
        measure(server, template, "SELECT pg_sleep(60)")
    assert names(server) == before


def test_json_is_small_sorted_and_comes_back(server: Server, template: str) -> None:
    facts = measure(server, template, "ALTER TABLE child ALTER parent SET NOT NULL")
    value = facts.to_json()
    assert list(value) == sorted(value)
    assert value["waiting"] == {"child": list(PROBES), "parent": ["DELETE"]}
    assert value["messages"] == ['verifying table "child"']
    assert Facts.from_json(value).to_json() == value
    again = measure(server, template, "ALTER TABLE child ALTER parent SET NOT NULL")
    assert again.comparable() == facts.comparable()
    with pytest.raises(KeyError):
        Facts.from_json({"locks": {}})
