"""Statements that commit step by step, and the names in them."""

from __future__ import annotations

import pytest

from pgrehearse.text.concurrent import Detach, Drop, Index, Reindex, built_index, concurrent


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("CREATE INDEX CONCURRENTLY A_b ON T (n)", Index("a_b", "t")),
        ('create unique index concurrently"A-b" on only app."T" using gin(n)', Index("A-b", 'app."T"')),
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t(n)", Index("i", "t", lenient=True)),
        ('CREATE INDEX CONCURRENTLY "a""b" ON t (n)', Index('a"b', "t")),
        ("CREATE INDEX CONCURRENTLY ON t (n)", None),
        ("CREATE INDEX i ON t (n)", None),
        ("DROP INDEX CONCURRENTLY IF EXISTS app . i RESTRICT", Drop("app.i")),
        ("DROP INDEX i", None),
        ("REINDEX TABLE CONCURRENTLY t", Reindex("table", "t")),
        ("REINDEX (VERBOSE) INDEX CONCURRENTLY app.i", Reindex("index", "app.i")),
        ("REINDEX (CONCURRENTLY) SCHEMA s", Reindex("schema", "s")),
        ("REINDEX DATABASE CONCURRENTLY", Reindex("database", "")),
        ("REINDEX (CONCURRENTLY off) TABLE t", None),
        ("REINDEX TABLE t", None),
        ("ALTER TABLE IF EXISTS ONLY p DETACH PARTITION app.c CONCURRENTLY", Detach("p", "app.c")),
        ("ALTER TABLE p DETACH PARTITION c", None),
        ("COMMENT ON INDEX i IS 'made CONCURRENTLY'", None),
    ],
)
def test_what_it_does(sql: str, found: object) -> None:
    assert concurrent(sql) == found
    assert concurrent("/* why */ " + sql.replace(" ", "\n\t")) == found
    assert (built_index(sql) is not None) == isinstance(found, Index)
