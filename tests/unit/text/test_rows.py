"""Whose rows a statement changes."""

from __future__ import annotations

import pytest

from pgrehearse.text.rows import changed_whole, filled
from pgrehearse.text.statement import classify


@pytest.mark.parametrize(
    ("sql", "changes"),
    [
        ("INSERT INTO t VALUES (1)", True),
        ("merge into t using u on true when matched then delete", True),
        ("TRUNCATE t", True),
        ("COPY t (a, b) FROM '/x'", True),
        ("COPY (DELETE FROM t RETURNING n) TO '/x'", True),
        ("COPY t TO '/x'", False),
        ("WITH gone AS MATERIALIZED (DELETE FROM t RETURNING *) SELECT * FROM gone", True),
        ("WITH a AS (SELECT 1), b (n) AS (SELECT 2) UPDATE t SET n = 1 FROM a", True),
        ("WITH RECURSIVE a AS (SELECT 1) SELECT n FROM t FOR UPDATE", False),
        ("WITH update AS (SELECT 1) SELECT (1) FROM update", False),
        ("WITH a AS (WITH b AS (INSERT INTO t VALUES (1) RETURNING *) TABLE b) TABLE a", True),
        ("EXPLAIN ANALYZE VERBOSE DELETE FROM t", True),
        ("EXPLAIN (ANALYZE, BUFFERS) DELETE FROM t", True),
        ("EXPLAIN (ANALYZE off) DELETE FROM t", False),
        ("EXPLAIN DELETE FROM t", False),
        ("SELECT 'DELETE FROM t'", False),
        ("PREPARE p AS DELETE FROM t", False),
        ("CREATE TRIGGER r AFTER INSERT OR UPDATE ON t EXECUTE FUNCTION f()", False),
    ],
)
def test_changes(sql: str, changes: bool) -> None:
    assert classify(sql).changes_rows is changes


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("UPDATE t SET n = 1", "t"),
        ('DELETE FROM ONLY app."T"', 'app."T"'),
        ("UPDATE t SET n = (SELECT 1 WHERE true), note = ' where '", "t"),
        ("UPDATE t SET n = 1\nWHERE true", None),
        ("DELETE FROM t WHERE n = 1", None),
        ("INSERT INTO t SELECT 1", None),
    ],
)
def test_changed_whole(sql: str, table: str | None) -> None:
    assert changed_whole(sql) == table


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ('INSERT INTO App."T" (n) SELECT 1', ['app."T"']),
        ("COPY t FROM '/x'", ["t"]),
        ("COPY (SELECT 1) TO '/x'", []),
        ("WITH a AS (INSERT INTO t VALUES (1) RETURNING *) INSERT INTO u SELECT * FROM a", ["t", "u"]),
        ("UPDATE t SET n = 1", []),
        ("SELECT 'insert into t'", []),
    ],
)
def test_filled(sql: str, tables: list[str]) -> None:
    assert list(filled(sql)) == tables
