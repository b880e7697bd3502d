"""Columns whose sequence others use, whose text depends on settings, or that another server has too."""

from __future__ import annotations

import psycopg
import pytest

from support.foreign import BACK, FORWARD, OWNER, Foreign, Values

TABLE = {"table": "t"}
DROP = {**TABLE, "column": "n", "type": "integer"}
TYPE = {**TABLE, "column": "n", "type": "bigint", "to_new": "value::bigint", "to_old": "value::int"}
RENAME = {**TABLE, "column": "n", "new_name": "number"}
ADD = {**TABLE, "column": "d", "type": "int", "comment": "d"}
TEXT_OF = {**TABLE, "column": "c", "type": "text", "to_new": "value::text"}
#: A type whose text depends on a setting -> a value of it, and a text that does not depend.
READ_SETTINGS = {
    "bytea": ("'\\x00ff'", "encode(value, 'hex')", "decode(value, 'hex')"),
    "double precision": ("1 / 3.0::float8", "value::numeric::text", "value::double precision"),
    "regclass": ("'t'::regclass", "'r' || value::oid", "substr(value, 2)::oid::regclass"),
}


@pytest.mark.parametrize(("runbook", "values"), [("column-drop", DROP), ("column-change-type", TYPE)])
def test_a_sequence_that_others_may_use_is_no_part_of_the_column(
    foreign: Foreign, runbook: str, values: Values
) -> None:
    """The application asks it itself. The refusal says what keeps it, and that helps."""
    foreign.has("CREATE TABLE t (id int PRIMARY KEY, n int)", 'CREATE SEQUENCE "Ticket" OWNED BY t.n')
    before = foreign.state()
    said = foreign.play(runbook, FORWARD, values)
    advice = 'ALTER SEQUENCE "Ticket" OWNED BY NONE'
    assert advice in said
    assert not before.differences(foreign.state())
    foreign.has(advice)
    assert not foreign.play(runbook, FORWARD, values)
    foreign.has("""SELECT nextval('"Ticket"')""")


def test_a_sequence_that_the_column_alone_draws_from_goes_with_it(foreign: Foreign) -> None:
    foreign.has("CREATE TABLE t (id int PRIMARY KEY, n serial)", "ALTER TABLE t ALTER n DROP NOT NULL")
    assert not foreign.play("column-drop", FORWARD, DROP)


@pytest.mark.parametrize("kind", READ_SETTINGS)
def test_a_text_that_depends_on_a_setting_of_who_writes_is_refused(foreign: Foreign, kind: str) -> None:
    """Else rows of a writer with another setting would differ, before the switch and after it."""
    value, to_new, to_old = READ_SETTINGS[kind]
    foreign.has(f"CREATE TABLE t (id int PRIMARY KEY, c {kind})", f"INSERT INTO t VALUES (1, {value})")
    before = foreign.state()
    assert "a setting of who writes" in foreign.play(
        "column-change-type", FORWARD, {**TEXT_OF, "to_old": f"value::{kind}"}
    )
    assert not before.differences(foreign.state())
    values = {**TEXT_OF, "to_new": to_new, "to_old": to_old}
    if kind == "double precision":  # 15 digits do not come back
        values["to_new"] = "pinned(value)"
        foreign.has(
            "CREATE FUNCTION pinned(float8) RETURNS text LANGUAGE sql IMMUTABLE SET extra_float_digits = 1"
            " AS 'SELECT $1::text'"
        )
    assert not foreign.play("column-change-type", FORWARD, values)
    assert not foreign.play("column-change-type", BACK, values)


def _far_partition(foreign: Foreign) -> None:
    """A partition of ``t`` is on another server, which is this one."""
    with psycopg.connect(foreign.server.dsn(foreign.name), autocommit=True) as admin:
        info = admin.info
        for sql in (
            "CREATE EXTENSION postgres_fdw",
            f"CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw"
            f" OPTIONS (host '{info.host}', port '{info.port}', dbname '{foreign.name}')",
            f"CREATE USER MAPPING FOR PUBLIC SERVER far"
            f" OPTIONS (user '{info.user}', password_required 'false')",
            f"GRANT USAGE ON FOREIGN SERVER far TO {OWNER}",
        ):
            admin.execute(sql.encode())
    foreign.has(
        "CREATE TABLE t (id int, n int) PARTITION BY LIST (id)",
        "CREATE TABLE there (id int, n int)",
        "INSERT INTO there VALUES (1, 1)",
        "CREATE FOREIGN TABLE here PARTITION OF t FOR VALUES IN (1) SERVER far OPTIONS (table_name 'there')",
    )


def test_a_column_is_not_added_where_only_another_server_can(foreign: Foreign) -> None:
    _far_partition(foreign)
    before = foreign.state()
    said = foreign.play("column-add", FORWARD, ADD)
    assert "foreign table here" in said and "on the other server" in said
    assert not before.differences(foreign.state())
    foreign.has("ALTER TABLE there ADD COLUMN d int")
    assert not foreign.play("column-add", FORWARD, {**ADD, "checked": "foreign table here"})
    foreign.has("SELECT d FROM t")
    assert not foreign.play("column-add", BACK, {**ADD, "checked": "foreign table here"})


def test_a_column_is_not_renamed_where_another_server_knows_its_name(foreign: Foreign) -> None:
    _far_partition(foreign)
    before = foreign.state()
    said = foreign.play("column-rename", FORWARD, RENAME)
    assert "foreign table here" in said and "ADD column_name" in said
    assert not before.differences(foreign.state())
    foreign.has("ALTER FOREIGN TABLE here ALTER COLUMN n OPTIONS (ADD column_name 'n')")
    before = foreign.state()
    assert not foreign.play("column-rename", FORWARD, RENAME)
    foreign.has("SELECT n, number FROM t")
    assert not foreign.play("column-rename", BACK, RENAME)
    assert not before.differences(foreign.state())


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("upsert()", "INSERT INTO t VALUES (1, 1) ON CONFLICT ON CONSTRAINT t_pkey DO NOTHING"),
        ("emptied()", "TRUNCATE t"),
        ("monthly()", "EXECUTE 'CREATE TABLE u () INHERITS (public.t)'"),
        ("seen()", "PERFORM xmin FROM t"),
    ],
)
def test_a_function_does_with_the_table_what_a_view_refuses(foreign: Foreign, name: str, body: str) -> None:
    foreign.has(
        "CREATE TABLE t (id int PRIMARY KEY, n int)",
        f"CREATE FUNCTION {name} RETURNS void LANGUAGE plpgsql AS $$ BEGIN {body}; END $$",
    )
    before = foreign.state()
    said = foreign.play("column-rename", FORWARD, RENAME)
    assert name in said and "what a view refuses" in said
    assert not before.differences(foreign.state())
    assert not foreign.play("column-rename", FORWARD, {**RENAME, "checked": name})


def test_a_function_names_the_primary_key_that_goes(foreign: Foreign) -> None:
    """It would fail with 42704. The columns of the old key stay unique, so they may stand there."""
    foreign.has(
        "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL)",
        "CREATE FUNCTION put(int) RETURNS void LANGUAGE sql AS"
        " 'INSERT INTO t VALUES ($1, $1) ON CONFLICT ON CONSTRAINT t_pkey DO NOTHING'",
    )
    values = {**TABLE, "constraint": "t_key", "columns": "n", "comment": "c"}
    before = foreign.state()
    said = foreign.play("constraint-primary-key", FORWARD, values)
    assert "put(integer)" in said and "name its columns" in said
    assert not before.differences(foreign.state())
    foreign.has(
        "CREATE OR REPLACE FUNCTION put(int) RETURNS void LANGUAGE sql AS"
        " 'INSERT INTO t VALUES ($1, $1) ON CONFLICT (id) DO NOTHING'"
    )
    assert not foreign.play("constraint-primary-key", FORWARD, values)
    foreign.has("SELECT put(1)", "SELECT put(1)")


@pytest.mark.parametrize(
    ("runbook", "values"),
    [
        ("constraint-check", {**TABLE, "constraint": "r", "condition": "looked(n)", "comment": "r"}),
        ("column-add", {**TABLE, "column": "d", "type": "bool", "value": "looked(1)", "comment": "d"}),
    ],
)
def test_an_expression_needs_the_search_path_of_whoever_writes(
    foreign: Foreign, runbook: str, values: Values
) -> None:
    """A writer with another path would fail with 42883. What the refusal advises helps."""
    foreign.has(
        "CREATE TABLE t (id int PRIMARY KEY, n int)",
        "INSERT INTO t VALUES (1, 1)",
        "CREATE FUNCTION inner_one(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 0'",
        "CREATE FUNCTION looked(int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS"
        " 'BEGIN RETURN inner_one($1); END'",
    )
    before = foreign.state()
    assert "SET search_path" in foreign.play(runbook, FORWARD, values)
    assert not before.differences(foreign.state())
    foreign.has("ALTER FUNCTION looked(int) SET search_path = public")
    assert not foreign.play(runbook, FORWARD, values)
    foreign.has("SET search_path = ''", "INSERT INTO public.t (id, n) VALUES (2, 2)")
