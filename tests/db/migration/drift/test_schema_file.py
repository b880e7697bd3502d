"""``pgrehearse db check --only schema``: the migrations against the file that says what they make."""

from __future__ import annotations

import pytest

from pgrehearse.errors import DocumentError, SetupError

from .bench import Bench


def test_without_a_database_the_schema_file_is_compared(applied: Bench) -> None:
    status, text = applied.run("check", database=False)
    assert (status, text.splitlines()[0]) == (0, "schema: the migrations against schema.sql: no drift")
    with pytest.raises(SetupError, match="no database is named"):
        applied.run("check", "--only", "live", database=False)


def test_a_schema_file_that_fails_is_named_with_its_line(applied: Bench) -> None:
    applied.write("schema.sql", "CREATE TABLE wish (id int);\n\nCREATE TABLE wish (id int);\n")
    with pytest.raises(DocumentError, match="already exists") as caught:
        applied.run("check", "--only", "schema")
    assert (caught.value.location.rpartition("/")[2], caught.value.exit_code) == ("schema.sql:3", 65)


OPERATORS = (
    "CREATE OPERATOR CLASS backwards FOR TYPE int8 USING btree AS OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =,"
    " OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 btint8cmp(int8, int8);\n"
    "COMMENT ON OPERATOR CLASS backwards USING btree IS 'Newest first.';\n"
    "COMMENT ON OPERATOR FAMILY backwards USING btree IS 'Newest first.';\n"
    "CREATE INDEX wish_backwards ON wish (id backwards);"
)
WRAPPED = (
    "CREATE EXTENSION postgres_fdw;\n"
    "CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'nowhere.invalid', dbname 'x');\n"
    "CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (user 'x');\n"
    "CREATE FOREIGN TABLE far_wish (id int) SERVER far;"
)
FAMILY = (
    "CREATE OPERATOR FAMILY loose USING hash;\n"
    "ALTER OPERATOR FAMILY loose USING hash ADD OPERATOR 1 = (int4, int8);"
)


@pytest.mark.parametrize("statements", [OPERATORS, WRAPPED, FAMILY])
def test_what_a_superuser_makes_is_compared(applied: Bench, statements: str) -> None:
    up = f"-- migrate:up\n{statements}\n-- migrate:down\n-- not restored: made once\n"
    applied.write("migrations/3_superuser.sql", up)
    assert applied.run("check", "--write-schema", database=False)[0] == 0
    status, text = applied.run("check", "--only", "schema", database=False)
    assert (status, text.splitlines()[0]) == (0, "schema: the migrations against schema.sql: no drift")
    schema = (applied.folder / "db" / "schema.sql").read_text(encoding="utf-8")
    for old, new in (("backwards", "forwards"), ("far", "near"), ("loose", "strict")):
        schema = schema.replace(old, new)
    applied.write("schema.sql", schema)
    assert applied.run("check", "--only", "schema", database=False)[0] == 1, "the control"


def test_what_needs_a_superuser_is_refused_with_the_way_out(applied: Bench) -> None:
    applied.write("schema.sql", "CREATE FOREIGN DATA WRAPPER own;\n")
    with pytest.raises(DocumentError, match="permission denied to create foreign-data wrapper") as caught:
        applied.run("check", "--only", "schema", database=False)
    assert caught.value.next_step is not None
    assert "role without powers" in caught.value.next_step
