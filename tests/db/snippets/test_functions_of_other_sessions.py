"""Functions that name the column, in schemas this role cannot use: of other sessions, and closed ones."""

from __future__ import annotations

import psycopg
import pytest

from support.foreign import BACK, FORWARD, OWNER, Foreign

REMOVE = {"table": "t", "column": "e", "label": "c"}
NAMING = "RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT e FROM t LIMIT 1); END $$"
QUOTING = "RETURNS text LANGUAGE sql AS $$ SELECT 'c'::text $$"


@pytest.fixture
def foreign(foreign: Foreign) -> Foreign:
    foreign.has(
        "CREATE TYPE e AS ENUM ('a', 'b', 'c')",
        "CREATE TABLE t (id int PRIMARY KEY, e e NOT NULL)",
        "INSERT INTO t VALUES (1, 'a')",
    )
    return foreign


@pytest.mark.parametrize("function", [NAMING, QUOTING])
def test_those_of_another_session_are_left_alone(foreign: Foreign, function: str) -> None:
    before = foreign.state()
    with psycopg.connect(foreign.conninfo, autocommit=True) as other:
        other.execute(f"CREATE FUNCTION pg_temp.f() {function}".encode())
        assert not foreign.play("enum-remove-value", FORWARD, REMOVE)
        assert not foreign.play("enum-remove-value", BACK, REMOVE)
        assert other.execute("SELECT pg_temp.f()").fetchone() is not None
    assert not before.differences(foreign.state())


def test_one_in_a_schema_that_the_role_may_not_use_is_named(foreign: Foreign) -> None:
    foreign.as_superuser(
        "CREATE SCHEMA closed",
        f"CREATE FUNCTION closed.f() {NAMING}",
        f"ALTER FUNCTION closed.f() OWNER TO {OWNER}",
    )
    before = foreign.state()
    assert "stop: these have the name" in foreign.play("enum-remove-value", FORWARD, REMOVE)
    checked = {**REMOVE, "checked": "closed.f()"}
    assert not foreign.play("enum-remove-value", FORWARD, checked)
    assert not foreign.play("enum-remove-value", BACK, checked)
    assert not before.differences(foreign.state())
