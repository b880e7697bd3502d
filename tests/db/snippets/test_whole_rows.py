"""Rules that look at the whole row say something else when the table gets one more column, or loses one."""

from __future__ import annotations

import pytest

from support.foreign import BACK, FORWARD, Foreign, Values

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
        "first": "left_of",
        "first_type": "text",
        "first_value": "split_part(value, ';', 1)",
        "second": "right_of",
        "second_type": "text",
        "second_value": "split_part(value, ';', 2)",
        "joined": "first || ';' || second",
    },
    "enum-to-lookup-table": {**TABLE, "column": "e", "lookup": "moods"},
    "key-bigint": {**TABLE, "column": "id"},
    "column-drop": {**TABLE, "column": "n", "type": "integer"},
}
#: A view with one more column than the table stands before it afterwards.
RENAME = {"column-rename": {**TABLE, "column": "n", "new_name": "number"}}
#: What looks at the whole row -> as a refusal names it.
LOOKING = {
    'ALTER TABLE s."T b" ADD CONSTRAINT "A c" CHECK ("T b".* IS NOT NULL)': 'CHECK "A c"',
    'CREATE INDEX whole ON s."T b" (hash_record("T b"))': "index s.whole",
    'CREATE INDEX part ON s."T b" (id) WHERE hash_record("T b") > 0': "index s.part",
    'CREATE POLICY "A p" ON s."T b" USING ("T b" IS NOT NULL)': 'policy "A p"',
}


@pytest.fixture
def foreign(foreign: Foreign) -> Foreign:
    foreign.has(
        "CREATE SCHEMA s",
        "CREATE TYPE s.mood AS ENUM ('good', 'bad')",
        "CREATE TABLE s.\"T b\" (id int PRIMARY KEY, n int DEFAULT 1, c text DEFAULT 'a;b',"
        " e s.mood DEFAULT 'good')",
        """INSERT INTO s."T b" SELECT n, n, 'a;' || n FROM generate_series(1, 9) AS n""",
    )
    return foreign


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


ARCHIVE = "CREATE TABLE s.archive (id int, n int, c text, e text)"
#: Functions that give or take rows by position; the first stands for a row that goes into an archive.
BY_POSITION = {
    "s.kept()": """ RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO s.archive VALUES (OLD.*); RETURN OLD; END $$""",
    "s.dynamic()": """ RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN EXECUTE format('INSERT INTO %I.archive SELECT ($1).*', 's') USING OLD; RETURN OLD; END $$""",
    "s.given()": """ RETURNS TABLE (id int, n int, c text, e text) LANGUAGE plpgsql STABLE AS
        $$ BEGIN RETURN QUERY SELECT t.* FROM s."T b" AS t; END $$""",
    "s.other()": """ RETURNS SETOF s.archive LANGUAGE sql STABLE AS 'SELECT * FROM s."T b"'""",
    "s.both_of()": """ RETURNS bigint LANGUAGE sql STABLE AS
        'SELECT count(*) FROM (SELECT * FROM s."T b" UNION ALL SELECT * FROM s.archive) AS a'""",
    "s.cast_of()": """ RETURNS text LANGUAGE sql STABLE AS
        $$ SELECT (ROW (1, 2, 'x', 'good')::s."T b")::text $$""",
}
#: They look alike, and stay right.
BY_NAME = (
    """CREATE FUNCTION s.named() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO s.archive (id) VALUES (coalesce(OLD.id, 1 * 2)); RETURN OLD; END $$""",
    """CREATE FUNCTION s.counted() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM s."T b"'""",
    """CREATE FUNCTION s.looped() RETURNS int LANGUAGE plpgsql STABLE AS
        $$ DECLARE one s."T b"; BEGIN
        FOR one IN SELECT * FROM s."T b" LOOP END LOOP; RETURN one.id; END $$""",
    """CREATE FUNCTION s.elsewhere() RETURNS SETOF s.archive LANGUAGE sql STABLE AS
        'SELECT * FROM s.archive'""",
)


@pytest.mark.parametrize("runbook", RUNBOOKS | RENAME)
def test_what_takes_rows_by_position_is_named(foreign: Foreign, runbook: str) -> None:
    """It fails with the writer that calls it, or puts a value into another column."""
    foreign.has(ARCHIVE)
    for name, rest in BY_POSITION.items():
        foreign.has("SET check_function_bodies = off", f"CREATE FUNCTION {name}{rest}")
        if "trigger" in rest:
            foreign.has(f'CREATE TRIGGER t AFTER DELETE ON s."T b" FOR EACH ROW EXECUTE FUNCTION {name}')
        before = foreign.state()
        said = foreign.play(runbook, FORWARD, (RUNBOOKS | RENAME)[runbook])
        assert name in said and "by position" in said
        assert not before.differences(foreign.state())
        foreign.has(f"DROP FUNCTION {name} CASCADE")


@pytest.mark.parametrize("runbook", RUNBOOKS | RENAME)
def test_what_names_its_columns_or_follows_the_table_is_no_reason_to_stop(
    foreign: Foreign, runbook: str
) -> None:
    foreign.has("SET check_function_bodies = off", ARCHIVE, *BY_NAME)
    foreign.has('CREATE TRIGGER t AFTER DELETE ON s."T b" FOR EACH ROW EXECUTE FUNCTION s.named()')
    values = (RUNBOOKS | RENAME)[runbook]
    if runbook == "key-bigint":  # each of them has the name of the key in its text
        values = {**values, "checked": "s.named(); s.looped()"}
    assert not foreign.play(runbook, FORWARD, values)
    assert not foreign.play(runbook, BACK, values)


@pytest.mark.parametrize(
    ("runbook", "names"),
    [
        ("column-add", ["d"]),
        ("column-split", ["left_of", "right_of"]),
        ("column-change-type", ["n_new", "n_old"]),
        ("enum-to-lookup-table", ["e_new", "e_old"]),
    ],
)
def test_a_variable_called_like_a_new_column_is_named(
    foreign: Foreign, runbook: str, names: list[str]
) -> None:
    """PL/pgSQL finds it ambiguous; in SQL the argument becomes the column, and the answer another one."""
    for name in names:
        foreign.has(
            f"""CREATE FUNCTION s.variable({name} int) RETURNS int LANGUAGE plpgsql STABLE AS
            $$ BEGIN RETURN (SELECT max(id) FROM s."T b" WHERE id < {name}); END $$""",
            f"""CREATE FUNCTION s.argument({name} int) RETURNS int LANGUAGE sql STABLE AS
            'SELECT max(id) FROM s."T b" WHERE id < {name}'""",
        )
        before = foreign.state()
        said = foreign.play(runbook, FORWARD, RUNBOOKS[runbook])
        assert "name of a new column" in said and "s.argument(integer); s.variable(integer)" in said
        assert not before.differences(foreign.state())
        foreign.has("DROP FUNCTION s.variable, s.argument")
    name = names[0]
    foreign.has(f"CREATE FUNCTION s.elsewhere({name} int) RETURNS int LANGUAGE sql STABLE AS 'SELECT {name}'")
    assert not foreign.play(runbook, FORWARD, RUNBOOKS[runbook])
    if runbook in ("column-add", "column-split"):
        foreign.has(
            f"""CREATE FUNCTION s.later() RETURNS text LANGUAGE sql STABLE AS
            'SELECT max({name}::text) FROM s."T b"'"""
        )
    assert not foreign.play(runbook, FORWARD, RUNBOOKS[runbook])  # what was written since is right


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
