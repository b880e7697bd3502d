"""Rules that look at the whole row say something else when the table gets one more column, or loses one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pgrehearse.servers import Server
from support.foreign import BACK, FORWARD, Foreign, Values, foreign_database, foreign_server

TABLE = {"table": 's."T b"'}
RUNBOOKS: dict[str, Values] = {
    "column-add": {**TABLE, "column": "d", "type": "int", "comment": "d"},
    "column-change-type": {
        **TABLE,
        "column": "n",
        "type": "bigint",
        "to_new": "value::bigint",
        "to_old": "value::int",
    },
    "column-split": {
        **TABLE,
        "column": "c",
        "first": "a",
        "first_type": "text",
        "first_value": "split_part(value, ';', 1)",
        "second": "b",
        "second_type": "text",
        "second_value": "split_part(value, ';', 2)",
        "joined": "first || ';' || second",
    },
    "enum-to-lookup-table": {**TABLE, "column": "e", "lookup": "moods"},
    "key-bigint": {**TABLE, "column": "id"},
    "column-drop": {**TABLE, "column": "n", "type": "integer"},
}
#: What looks at the whole row -> as a refusal names it.
LOOKING = {
    'ALTER TABLE s."T b" ADD CONSTRAINT "A c" CHECK ("T b".* IS NOT NULL)': 'CHECK "A c"',
    'CREATE INDEX whole ON s."T b" (hash_record("T b"))': "index s.whole",
    'CREATE INDEX part ON s."T b" (id) WHERE hash_record("T b") > 0': "index s.part",
    'CREATE POLICY "A p" ON s."T b" USING ("T b" IS NOT NULL)': 'policy "A p"',
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with foreign_server() as running:
        yield running


@pytest.fixture
def foreign(server: Server) -> Iterator[Foreign]:
    with foreign_database(server) as database:
        database.has(
            "CREATE SCHEMA s",
            "CREATE TYPE s.mood AS ENUM ('good', 'bad')",
            "CREATE TABLE s.\"T b\" (id int PRIMARY KEY, n int DEFAULT 1, c text DEFAULT 'a;b',"
            " e s.mood DEFAULT 'good')",
            """INSERT INTO s."T b" SELECT n, n, 'a;' || n FROM generate_series(1, 9) AS n""",
        )
        yield database


@pytest.mark.parametrize("runbook", RUNBOOKS)
def test_what_looks_at_the_whole_row_is_named(foreign: Foreign, runbook: str) -> None:
    """Writers would fail, an index would no longer find its rows, a policy would hide them."""
    for sql, name in LOOKING.items():
        foreign.has(sql)
        before = foreign.state()
        said = foreign.play(runbook, FORWARD, RUNBOOKS[runbook])
        assert name in said and "whole row" in said
        assert not before.differences(foreign.state())
        foreign.has(
            'ALTER TABLE s."T b" DROP CONSTRAINT IF EXISTS "A c"',
            "DROP INDEX IF EXISTS s.whole, s.part",
            'DROP POLICY IF EXISTS "A p" ON s."T b"',
        )


@pytest.mark.parametrize("runbook", RUNBOOKS)
def test_a_rule_of_columns_is_no_reason_to_stop(foreign: Foreign, runbook: str) -> None:
    foreign.has(
        'ALTER TABLE s."T b" ADD CHECK (id IS NOT NULL)',
        """CREATE INDEX ON s."T b" ((c || 'T b.*'))""",
        'CREATE POLICY p ON s."T b" USING (true)',
    )
    values = RUNBOOKS[runbook]
    if runbook == "column-split":
        foreign.has('DROP INDEX s."T b_expr_idx"')
    assert not foreign.play(runbook, FORWARD, values)
    assert not foreign.play(runbook, BACK, values)


def test_the_walk_of_a_split_passes_a_trigger_that_lets_no_empty_change_through(foreign: Foreign) -> None:
    """It is in the manual. A trigger of the column that goes does not fire either."""
    foreign.has(
        'CREATE TRIGGER a BEFORE UPDATE ON s."T b" FOR EACH ROW'
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE TABLE s.moved (id int)",
        "CREATE FUNCTION s.moves() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN INSERT INTO s.moved VALUES (NEW.id); RETURN NULL; END'",
        'CREATE TRIGGER b AFTER UPDATE OF c ON s."T b" FOR EACH ROW EXECUTE FUNCTION s.moves()',
    )
    before = foreign.state()
    assert not foreign.play("column-split", FORWARD, RUNBOOKS["column-split"])
    assert not foreign.play("column-split", BACK, RUNBOOKS["column-split"])
    assert not before.differences(foreign.state())
