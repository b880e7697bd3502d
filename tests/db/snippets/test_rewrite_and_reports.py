"""A rewrite makes a table empty for whoever has an older snapshot: Preflight names such a session."""

from __future__ import annotations

import psycopg
import pytest

from support.foreign import FORWARD, Foreign

REMOVE = {"table": "t", "column": "e", "label": "c"}


@pytest.fixture
def foreign(foreign: Foreign) -> Foreign:
    foreign.has(
        "CREATE TYPE e AS ENUM ('a', 'b', 'c')",
        "CREATE TABLE t (id int PRIMARY KEY, e e NOT NULL)",
        "INSERT INTO t VALUES (1, 'a')",
        "CREATE TABLE other (id int)",
    )
    return foreign


def test_a_report_that_would_find_no_row_is_named(foreign: Foreign) -> None:
    before = foreign.state()
    with psycopg.connect(foreign.conninfo) as report:
        report.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        report.execute("SELECT FROM other")
        said = foreign.play("enum-remove-value", FORWARD, REMOVE)
        assert "would find the table empty" in said
        assert str(report.info.backend_pid) in said
        assert not before.differences(foreign.state())
        report.rollback()
        # A transaction that reads with a new snapshot each time is in nobody's way.
        report.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        report.execute("SELECT FROM other")
        assert not foreign.play("enum-remove-value", FORWARD, REMOVE)
        assert report.execute("SELECT id FROM t").fetchall() == [(1,)]
