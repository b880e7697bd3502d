"""What is asked after a statement: no more than what it can have done to tables, and no less."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from pgrehearse.migration.runner.question import Questions
from pgrehearse.text.statement import classify


@pytest.mark.parametrize(
    ("sql", "look", "table"),
    [
        ("INSERT INTO t VALUES (1)", "all", None),
        ("SELECT f()", "all", None),
        ("DO 'BEGIN END'", "all", None),
        ("COMMENT ON TABLE t IS 'x'", "nothing", None),
        ("GRANT SELECT ON TABLE t TO r", "nothing", None),
        ("DROP TABLE t", "nothing", None),
        ("CREATE UNIQUE INDEX i ON t (a)", "nothing", None),
        ("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "nothing", None),
        ("ALTER INDEX i SET (fillfactor = 50)", "nothing", None),
        ("CREATE TYPE pair AS (a int)", "all", None),
        ("ALTER TYPE pair ALTER ATTRIBUTE a TYPE text CASCADE", "all", None),
        ("CREATE MATERIALIZED VIEW v AS SELECT 1", "all", None),
        ("CREATE SCHEMA s CREATE TABLE t (a int)", "all", None),
        ("CREATE EXTENSION hstore", "all", None),
        ("ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b", "all", None),
        ("ALTER TABLE IF EXISTS ONLY t ADD a int", "named", b"t"),
        ("ALTER TABLE if ADD a int", "named", b"if"),
        ("CREATE TABLE IF NOT EXISTS s.t (a int)", "named", b"t"),
        ("CREATE UNLOGGED TABLE t (a int)", "named", b"t"),
        ('/* ; */ alter TABLE "My own"."T x" ADD a int', "named", b"T x"),
        ('ALTER TABLE "a""b" ADD a int', "named", b'a"b'),
        ('ALTER TABLE "é" ADD a int', "named", "é".encode()),
        # Names that the server may read otherwise.
        ('ALTER TABLE U&"\\0061" ADD a int', "all", None),
        ("ALTER TABLE é ADD a int", "all", None),
    ],
)
def test_what_is_asked(sql: str, look: str, table: bytes | None) -> None:
    name, values = Questions(Mock(), "mine").after(sql, classify(sql))
    assert name == f"mine_{look}".encode()
    assert values == (None if table is None else [table])
