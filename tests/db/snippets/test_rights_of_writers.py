"""What an expression calls, and a loader that fires no triggers: runbooks look at whoever writes the rows."""

from __future__ import annotations

import re

import psycopg
import pytest

from pgrehearse.servers import Server
from support.foreign import FORWARD, OWNER, Foreign, Values

WRITER = "Row Writer"
TABLE = {"table": 's."T b"'}
CALL = '"F n"(c)'
SHOP = (
    "CREATE SCHEMA s",
    "CREATE SCHEMA hidden",
    "CREATE DOMAIN hidden.amount AS bigint",
    "CREATE DOMAIN positive AS bigint CHECK (VALUE > 0)",
    """CREATE FUNCTION "F n"(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1'""",
    """REVOKE EXECUTE ON FUNCTION "F n"(text) FROM PUBLIC""",
    "CREATE TABLE s.\"T b\" (id int PRIMARY KEY, c text NOT NULL DEFAULT 'a;b', n int, m int)",
    """INSERT INTO s."T b" SELECT number, 'a;' || number, number FROM generate_series(1, 9) AS number""",
    f'GRANT USAGE ON SCHEMA s TO "{WRITER}"',
    f'GRANT INSERT (id), UPDATE (m) ON s."T b" TO "{WRITER}"',
)
WRITES = ('INSERT INTO s."T b" (id) VALUES (100)', """UPDATE s."T b" SET m = 3""")
TYPE = {**TABLE, "column": "n", "type": "bigint", "to_old": "value::integer"}
SPLIT = {
    **TABLE,
    "column": "c",
    "first": "a",
    "first_type": "text",
    "second": "b",
    "second_type": "text",
    "first_value": "split_part(value, ';', 1)",
    "second_value": "split_part(value, ';', 2)",
    "joined": "first || ';' || second",
}
NEEDING = [
    ("column-add", {**TABLE, "column": "d", "type": "text", "value": "\"F n\"('d')", "comment": "d"}),
    ("constraint-check", {**TABLE, "constraint": "k", "condition": f"{CALL} <> 'z'", "comment": "k"}),
    ("index-create", {**TABLE, "index": "i", "columns": CALL, "comment": "i"}),
    ("index-create", {**TABLE, "index": "i", "columns": "id", "condition": f"{CALL} <> 'z'", "comment": "i"}),
    ("column-change-type", {**TYPE, "to_new": '"F n"(value::text)::bigint'}),
    ("column-change-type", {**TYPE, "type": "hidden.amount", "to_new": "value::hidden.amount"}),
    ("column-split", {**SPLIT, "joined": "\"F n\"(first) || ';' || second"}),
]


@pytest.fixture(scope="module", autouse=True)
def writer(foreign_server: Server) -> None:
    with psycopg.connect(foreign_server.dsn(), autocommit=True) as admin:
        admin.execute(f'CREATE ROLE "{WRITER}"')
        admin.execute(f'GRANT "{WRITER}" TO {OWNER}')


def written(foreign: Foreign, writes: tuple[str, ...] = WRITES) -> None:
    """What the application does, with its own rights."""
    with psycopg.connect(foreign.server.dsn(foreign.name)) as session:
        session.execute(f'SET ROLE "{WRITER}"')
        for sql in writes:
            session.execute(sql.encode())
        session.rollback()


@pytest.mark.parametrize(("runbook", "values"), NEEDING)
def test_what_the_writer_may_not_use_is_granted_first(foreign: Foreign, runbook: str, values: Values) -> None:
    """Preflight names the GRANT; with it the runbook is done, and the application goes on writing."""
    foreign.has(*SHOP)
    before = foreign.state()
    said = foreign.play(runbook, FORWARD, values)
    grants = re.findall(r"GRANT (\w+ ON .*? TO .*?)(?=; GRANT| \||\s*\n|\s*$)", said)
    assert "42501" in said and grants
    assert not before.differences(foreign.state())
    foreign.has(*(f"GRANT {grant}" for grant in grants))
    assert not foreign.play(runbook, FORWARD, values)
    written(foreign)


def test_a_reader_needs_no_right_to_execute(foreign: Foreign) -> None:
    foreign.has(*SHOP, f'REVOKE INSERT (id), UPDATE (m) ON s."T b" FROM "{WRITER}"')
    foreign.has(f'GRANT SELECT ON s."T b" TO "{WRITER}", PUBLIC')
    assert not foreign.play(*NEEDING[1][:1], FORWARD, NEEDING[1][1])


#: Ways into the table beside privileges on it, and what the application does then.
WAYS = {
    "view": (
        ('CREATE VIEW "V w" AS SELECT id, c, m FROM s."T b"', f'GRANT INSERT, UPDATE ON "V w" TO "{WRITER}"'),
        ('INSERT INTO "V w" (id) VALUES (100)', 'UPDATE "V w" SET m = 3'),
    ),
    "view on a view": (
        (
            'CREATE VIEW s.below AS SELECT id, c, m FROM s."T b"',
            "CREATE VIEW s.above AS SELECT * FROM s.below WHERE id > 0 WITH CHECK OPTION",
            f'GRANT INSERT (id), UPDATE (m) ON s.above TO "{WRITER}"',
        ),
        ("INSERT INTO s.above (id) VALUES (100)", "UPDATE s.above SET m = 3"),
    ),
    "rule": (
        (
            "CREATE TABLE inbox (id int)",
            'CREATE RULE kept AS ON DELETE TO inbox DO ALSO INSERT INTO s."T b" (id) VALUES (OLD.id)',
            "INSERT INTO inbox VALUES (100)",
            f'GRANT SELECT, DELETE ON inbox TO "{WRITER}"',
        ),
        ("DELETE FROM inbox",),
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("runbook", "values"), [NEEDING[1], NEEDING[4]], ids=["CHECK", "trigger"])
def test_who_writes_by_another_way_needs_the_grant_too(
    foreign: Foreign, way: str, runbook: str, values: Values
) -> None:
    made, writes = WAYS[way]
    foreign.has(*SHOP, f'REVOKE ALL (id, m) ON s."T b" FROM "{WRITER}"', *made)
    said = foreign.play(runbook, FORWARD, values)
    assert f'GRANT EXECUTE ON FUNCTION "F n"(text) TO "{WRITER}"' in said
    foreign.has(f'GRANT EXECUTE ON FUNCTION "F n"(text) TO "{WRITER}"')
    assert not foreign.play(runbook, FORWARD, values)
    written(foreign, writes)


def test_a_view_that_cannot_be_written_through_asks_for_no_grant(foreign: Foreign) -> None:
    foreign.has(*SHOP, f'REVOKE ALL (id, m) ON s."T b" FROM "{WRITER}"')
    foreign.has('CREATE VIEW sums AS SELECT count(*) FROM s."T b"', f'GRANT ALL ON sums TO "{WRITER}"')
    assert not foreign.play(*NEEDING[1][:1], FORWARD, NEEDING[1][1])


def test_who_may_write_every_table_needs_the_grant_too(foreign: Foreign) -> None:
    foreign.has(*SHOP, f'REVOKE ALL (id, m) ON s."T b" FROM "{WRITER}"')
    with psycopg.connect(foreign.server.dsn(), autocommit=True) as admin:
        admin.execute(f'GRANT pg_write_all_data TO "{WRITER}"')
        try:
            said = foreign.play(NEEDING[1][0], FORWARD, NEEDING[1][1])
        finally:
            admin.execute(f'REVOKE pg_write_all_data FROM "{WRITER}"')
    assert f'GRANT EXECUTE ON FUNCTION "F n"(text) TO "{WRITER}"' in said


@pytest.mark.parametrize(
    ("made", "condition", "grant"),
    [
        (
            "CREATE FUNCTION outer_one(text) RETURNS text LANGUAGE sql IMMUTABLE BEGIN ATOMIC"
            ' SELECT "F n"($1) LIMIT 1; END',
            "outer_one(c) <> 'z'",
            'EXECUTE ON FUNCTION "F n"(text)',
        ),
        (
            "CREATE DOMAIN ruled AS text CHECK (\"F n\"(VALUE) <> 'z')",
            "c::ruled::text <> 'z'",
            'EXECUTE ON FUNCTION "F n"(text)',
        ),
        (
            "CREATE FUNCTION known(text) RETURNS boolean LANGUAGE sql STABLE BEGIN ATOMIC"
            " SELECT EXISTS (SELECT FROM s.places WHERE name <> $1); END",
            "known(c)",
            "SELECT ON TABLE s.places",
        ),
    ],
    ids=["function in a function", "rule of a domain", "table"],
)
def test_what_is_called_calls_others(foreign: Foreign, made: str, condition: str, grant: str) -> None:
    foreign.has(*SHOP, "CREATE TABLE s.places AS SELECT 'a'::text AS name", made)
    values = {**NEEDING[1][1], "condition": condition}
    assert f'GRANT {grant} TO "{WRITER}"' in foreign.play(NEEDING[1][0], FORWARD, values)
    foreign.has(f'GRANT {grant} TO "{WRITER}"')
    assert not foreign.play(NEEDING[1][0], FORWARD, values)
    written(foreign)


def test_what_works_as_its_owner_needs_no_right_of_the_writer(foreign: Foreign) -> None:
    foreign.has(
        *SHOP,
        "CREATE FUNCTION outer_one(text) RETURNS text LANGUAGE sql IMMUTABLE SECURITY DEFINER"
        ' BEGIN ATOMIC SELECT "F n"($1); END',
    )
    assert not foreign.play(NEEDING[1][0], FORWARD, {**NEEDING[1][1], "condition": "outer_one(c) <> 'z'"})
    written(foreign)


def test_a_partition_has_writers_of_its_own(foreign: Foreign) -> None:
    foreign.has(
        *SHOP,
        "CREATE TABLE p (c text) PARTITION BY LIST (c)",
        "CREATE TABLE p1 PARTITION OF p DEFAULT",
        "GRANT INSERT ON p1 TO PUBLIC",
    )
    said = foreign.play("constraint-check", FORWARD, {**NEEDING[1][1], "table": "p"})
    assert 'GRANT EXECUTE ON FUNCTION "F n"(text) TO PUBLIC' in said


@pytest.mark.parametrize("type", ["positive", "given"])
def test_a_new_column_is_not_filled_under_the_strongest_lock(foreign: Foreign, type: str) -> None:
    """A domain with a CHECK rewrites the table when a column of it is added; one with a default fills it."""
    foreign.has(*SHOP, "CREATE DOMAIN given AS bigint DEFAULT 3")
    said = foreign.play("column-change-type", FORWARD, {**TYPE, "type": type, "to_new": f"value::{type}"})
    assert f"{type} is a domain with a rule or a default" in said


def test_a_loader_that_fires_no_triggers_keeps_columns_in_step(foreign: Foreign) -> None:
    foreign.has(*SHOP)
    assert not foreign.play("column-split", FORWARD, SPLIT)
    with psycopg.connect(foreign.server.dsn(foreign.name)) as loader:
        loader.execute("SET session_replication_role = replica")
        loader.execute("""INSERT INTO s."T b" VALUES (50, 'new;er')""")
        row = loader.execute('SELECT a, b FROM s."T b" WHERE id = 50').fetchall()
    assert row == [("new", "er")]


def test_the_expressions_find_what_the_operator_finds(foreign: Foreign) -> None:
    """ "$user" of the search path is another schema for whoever writes."""
    foreign.has(
        *SHOP,
        f"CREATE SCHEMA {OWNER}",
        f"CREATE FUNCTION {OWNER}.keep(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1'",
        f'GRANT USAGE ON SCHEMA {OWNER} TO "{WRITER}"',
    )
    values = {**SPLIT, "first_value": "keep(split_part(value, ';', 1))"}
    assert not foreign.play("column-split", FORWARD, values)
    written(foreign)
