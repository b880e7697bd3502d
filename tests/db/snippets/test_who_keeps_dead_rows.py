"""Whoever keeps old rows from VACUUM is named: sessions, prepared transactions, standbys, slots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from support.faults.cluster import Replicated
from support.waiting import wait_until

WHO = (Path(__file__).parents[3] / "snippets" / "sql" / "who-keeps-dead-rows.sql").read_text("utf-8")
REPORT = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM shop"


@pytest.fixture(scope="module")
def pair() -> Iterator[Replicated]:
    with Replicated() as made:
        made.execute("CREATE TABLE shop (id int)")
        made.execute("CREATE DATABASE elsewhere")
        yield made


def named(pair: Replicated) -> list[tuple[str, str]]:
    """Who is named, and the cure."""
    with psycopg.connect(pair.dsn(), autocommit=True) as look:
        return [(row[0], row[3]) for row in look.execute(WHO.encode())]


def test_nobody(pair: Replicated) -> None:
    assert named(pair) == []


def test_a_session_that_reads_or_has_written(pair: Replicated) -> None:
    for statement in (REPORT, "BEGIN; INSERT INTO shop VALUES (1)"):
        with psycopg.connect(pair.dsn(), autocommit=True) as session:
            session.execute(statement)
            pid = session.info.backend_pid
            assert named(pair) == [(f"session {pid}", f"SELECT pg_terminate_backend({pid})")], statement
            session.execute("ROLLBACK")


def test_a_role_that_may_not_look(pair: Replicated) -> None:
    pair.execute("CREATE ROLE plain LOGIN")
    with (
        psycopg.connect(pair.dsn(), autocommit=True) as session,
        psycopg.connect(pair.dsn(), user="plain", autocommit=True) as plain,
    ):
        session.execute("BEGIN; INSERT INTO shop VALUES (1)")
        ((holder, *_, cure),) = plain.execute(WHO.encode()).fetchall()
        assert (holder, cure) == (f"session {session.info.backend_pid}", "hidden: ask a member of pg_monitor")
        session.execute("ROLLBACK")
    pair.execute("DROP ROLE plain")


def test_another_database_keeps_none_of_ours(pair: Replicated) -> None:
    with psycopg.connect(pair.dsn(), dbname="elsewhere", autocommit=True) as session:
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class")
        assert named(pair) == []


def test_a_vacuum_keeps_none_from_another_one(pair: Replicated) -> None:
    pair.execute("CREATE TABLE large AS SELECT repeat('x', 1000) AS body FROM generate_series(1, 3000)")
    pair.execute("CREATE TABLE small AS SELECT generate_series(1, 100) AS n")
    pair.execute("DELETE FROM large; DELETE FROM small")
    said: list[str] = []
    with (
        psycopg.connect(pair.dsn(), autocommit=True) as slow,
        psycopg.connect(pair.dsn(), autocommit=True) as other,
    ):
        other.add_notice_handler(lambda notice: said.append(str(notice.message_primary)))
        slow.execute("SET vacuum_cost_delay = '100ms'; SET vacuum_cost_limit = 1")
        slow.pgconn.send_query(b"VACUUM large")
        pid = slow.info.backend_pid
        seen = f"SELECT backend_xmin IS NOT NULL FROM pg_stat_activity WHERE pid = {pid}"
        wait_until(lambda: pair.execute(seen) == [(True,)], "it has a snapshot")
        wait_until(
            lambda: pair.execute(f"SELECT count(*) FROM pg_stat_progress_vacuum WHERE pid = {pid}") == [(1,)],
            "it is at work",
        )
        assert named(pair) == []
        other.execute("VACUUM (VERBOSE) small")
        assert "100 removed, 0 remain, 0 are dead but not yet removable" in said[-1]
        slow.cancel_safe()
        while slow.pgconn.get_result():
            pass


def test_a_prepared_transaction(pair: Replicated) -> None:
    with psycopg.connect(pair.dsn(), autocommit=True) as session:
        session.execute("BEGIN; INSERT INTO shop VALUES (1); PREPARE TRANSACTION 'it''s shop-1'")
        assert named(pair) == [("prepared it's shop-1", "ROLLBACK PREPARED 'it''s shop-1'")]
        session.execute("ROLLBACK PREPARED 'it''s shop-1'")


def test_a_report_on_the_standby(pair: Replicated) -> None:
    for setting in ("hot_standby_feedback = on", "wal_receiver_status_interval = '1s'"):
        pair.standby.execute(f"ALTER SYSTEM SET {setting}")
    pair.standby.execute("SELECT pg_reload_conf()")
    with psycopg.connect(pair.standby.dsn(), autocommit=True) as report:
        report.execute(REPORT)
        pair.execute("INSERT INTO shop VALUES (1)")
        wait_until(lambda: bool(named(pair)), "the standby has said what it reads")
        ((holder, cure),) = named(pair)
        assert holder.startswith(("standby ", "slot "))
        assert cure.startswith("end the old query")


def test_a_slot_keeps_rows_of_catalogs(pair: Replicated) -> None:
    pair.execute("SELECT pg_create_logical_replication_slot('forgotten', 'pgoutput')")
    assert ("slot forgotten", "keeps rows of catalogs only") in named(pair)
    pair.execute("SELECT pg_drop_replication_slot('forgotten')")
