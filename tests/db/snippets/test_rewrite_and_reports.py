"""A rewrite makes a table empty for whoever has an older snapshot: Preflight names such a session."""

from __future__ import annotations

import psycopg
import pytest

from support.foreign import FORWARD, Foreign
from support.waiting import wait_until

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


def test_a_report_that_is_busy_is_unseen(foreign: Foreign) -> None:
    """It computes something from another table, then comes to this one: nobody sees its isolation."""
    with (
        psycopg.connect(foreign.conninfo, autocommit=True) as gate,
        psycopg.connect(foreign.conninfo, autocommit=True) as report,
        psycopg.connect(foreign.conninfo, autocommit=True) as single,
    ):
        gate.execute("SELECT pg_advisory_lock(1)")
        report.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM other")
        report.pgconn.send_query(b"SELECT pg_advisory_lock_shared(1)")
        single.pgconn.send_query(
            b"SELECT pg_advisory_lock_shared(1)"
        )  # a statement alone has its own snapshot
        old = """SELECT count(*) FROM pg_stat_activity
                 WHERE wait_event = 'advisory' AND xact_start < clock_timestamp() - interval '1 second'"""
        wait_until(lambda: gate.execute(old).fetchone() == (2,), "both are busy for a second")
        said = foreign.play("enum-remove-value", FORWARD, REMOVE)
        assert "unseen: whether these transactions are reports in REPEATABLE READ" in said
        assert str(report.info.backend_pid) in said
        assert str(single.info.backend_pid) not in said
        gate.execute("SELECT pg_advisory_unlock_all()")
        while report.pgconn.get_result():
            pass
        report.execute("ROLLBACK; SELECT pg_advisory_unlock_all()")
        while single.pgconn.get_result():
            pass
    assert not foreign.play("enum-remove-value", FORWARD, REMOVE)
