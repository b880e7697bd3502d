"""Who may not look at sessions of other roles is told that one is there, not that there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgrehearse.servers import Server, start
from pgrehearse.text.document import load
from support.majors import TEST_MAJOR
from support.waiting import wait_until

ROOT = Path(__file__).parents[3]
Connection = psycopg.Connection[Any]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with start(TEST_MAJOR, settings={"max_prepared_transactions": "5"}) as one:
        with psycopg.connect(one.dsn(), autocommit=True) as admin:
            admin.execute("CREATE ROLE app LOGIN")
            admin.execute("CREATE ROLE shop LOGIN")
            admin.execute("CREATE ROLE on_call LOGIN IN ROLE pg_signal_backend")
            admin.execute("CREATE ROLE looker LOGIN IN ROLE pg_monitor")
            admin.execute("CREATE TABLE wishlist_items (id int, title text)")
            admin.execute("INSERT INTO wishlist_items VALUES (1, 'scarf')")
            admin.execute("ALTER TABLE wishlist_items OWNER TO shop")
            admin.execute("GRANT ALL ON wishlist_items TO app")
            admin.execute("GRANT CREATE ON SCHEMA public TO shop")
        yield one


def query(page: str, part: str) -> str:
    """The cell of a stuck page in which ``part`` stands."""
    found = [
        cell for cell in load(ROOT / f"docs/stuck/{page}.md").cells
        if part in cell.source and not cell.options.snippet
    ]  # fmt: skip
    assert len(found) == 1, (page, part, len(found))
    return found[0].source


def connected(server: Server, role: str) -> Connection:
    return psycopg.connect(server.dsn(), user=role, autocommit=True)


def asked(server: Server, role: str, sql: str) -> list[tuple[Any, ...]]:
    with connected(server, role) as connection:
        connection.execute("SET statement_timeout = '30s'")
        answer = connection.execute(sql.encode())
        return answer.fetchall() if answer.description else []


@contextmanager
def holding(server: Server, role: str, *statements: str) -> Iterator[int]:
    """A session of ``role`` that keeps what it locks."""
    with connected(server, role) as session:
        for statement in ("BEGIN", *statements):
            session.execute(statement.encode())
        yield session.info.backend_pid
        session.execute("ROLLBACK")


@contextmanager
def sent(server: Server, role: str, statement: str) -> Iterator[int]:
    """A statement that waits for a lock."""
    with connected(server, role) as session, psycopg.connect(server.dsn(), autocommit=True) as look:
        session.pgconn.send_query(statement.encode())
        pid = session.info.backend_pid
        waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
        wait_until(lambda: look.execute(waits, [pid]).fetchone() == (True,), "it waits")
        yield pid
        look.execute("SELECT pg_cancel_backend(%s)", [pid])
        while session.pgconn.get_result():
            pass


CHANGE = "UPDATE wishlist_items SET title = title"
WHO = "-- Who makes others wait"


def test_the_one_in_the_middle_is_canceled_with_pg_signal_backend_alone(server: Server) -> None:
    sql = query("table-is-locked", WHO)
    assert asked(server, "on_call", sql) == []
    with (
        holding(server, "app", CHANGE) as app,
        sent(server, "shop", "ALTER TABLE wishlist_items ADD COLUMN n int") as ddl,
        sent(server, "app", "SELECT * FROM wishlist_items") as reader,
    ):
        (first, middle) = asked(server, "on_call", sql)
        assert (first[0], first[2], first[5]) == (app, "hidden", "of role app")
        assert (middle[0], middle[2], middle[5]) == (ddl, "waits itself", "of role shop")
        assert [row[2] for row in asked(server, "looker", sql)] == ["idle in transaction", "waits itself"]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            asked(server, "shop", f"SELECT pg_terminate_backend({app})")
        asked(server, "on_call", middle[3])
        waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
        with psycopg.connect(server.dsn(), autocommit=True) as look:
            wait_until(lambda: look.execute(waits, [reader]).fetchone() != (True,), "the reader is served")


def test_who_gave_up_is_told_who_holds_the_lock(server: Server) -> None:
    sql = query("lock-timeout", "AS holds")
    assert asked(server, "shop", sql) == []
    with holding(server, "app", CHANGE) as app:
        assert asked(server, "shop", sql)[0][:3] == (app, "RowExclusive", "hidden, of role app")
        assert asked(server, "looker", sql)[0][:3] == (app, "RowExclusive", "idle in transaction")
    with connected(server, "app") as session:
        session.execute(f"BEGIN; {CHANGE}; PREPARE TRANSACTION 'half'".encode())
        assert asked(server, "shop", sql)[0][:3] == (None, "RowExclusive", "prepared transaction")
        session.execute("ROLLBACK PREPARED 'half'")


def test_a_lock_on_a_partition_is_one_on_its_table(server: Server) -> None:
    sql = query("lock-timeout", "AS holds").replace("wishlist_items", "parted")
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("CREATE TABLE parted (id int) PARTITION BY RANGE (id)")
        admin.execute("CREATE TABLE parted_1 PARTITION OF parted DEFAULT")
    with holding(server, "postgres", "LOCK TABLE parted_1 IN SHARE MODE") as pid:
        assert [row[:2] for row in asked(server, "looker", sql)] == [(pid, "Share")]


def test_of_prepared_transactions_the_one_that_holds_the_table_is_told(server: Server) -> None:
    sql = query("table-is-locked", "younger_than_an_hour")
    with connected(server, "app") as session:
        session.execute(f"BEGIN; {CHANGE}; PREPARE TRANSACTION 'holds'".encode())
        session.execute(b"BEGIN; SELECT pg_current_xact_id(); PREPARE TRANSACTION 'does not'")
        told = {row[0]: row[4] for row in asked(server, "shop", sql)}
        assert told == {"holds": "wishlist_items", "does not": None}
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            asked(server, "shop", "ROLLBACK PREPARED 'holds'")
        for gid in told:
            session.execute(f"ROLLBACK PREPARED '{gid}'".encode())


def test_an_index_that_another_role_builds_is_no_remains(server: Server) -> None:
    sql = query("relation-already-exists", "built_by_pid").replace("_title_key", "_title_idx")
    remains = (ROOT / "snippets/sql/invalid-indexes.sql").read_text("utf-8")
    build = "CREATE INDEX CONCURRENTLY wishlist_items_title_idx ON wishlist_items (title)"
    with (
        holding(server, "app", CHANGE),
        sent(server, "postgres", build) as builder,
    ):
        for role in ("shop", "looker"):
            ((_, valid, _, _, pid),) = asked(server, role, sql)
            assert (valid, pid) == (False, builder), role
        ((*_, told, verdict),) = asked(server, "shop", remains)
        assert (told, verdict) == (builder, "unknown: ask as pg_monitor, or wait")
        ((*_, verdict),) = asked(server, "looker", remains)
        assert verdict == "in progress, wait for it"
    # The counterproof: the build was canceled, and what is left is told as such without any right.
    assert asked(server, "shop", sql)[0][4] is None
    ((*_, told, verdict),) = asked(server, "shop", remains)
    assert (told, verdict) == (None, "build or drop cut short: drop it or REINDEX")
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("DROP INDEX wishlist_items_title_idx")


def test_a_runner_that_still_works_is_seen(server: Server) -> None:
    sql = query("migration-half-applied", "the lock of many tools")
    assert asked(server, "shop", sql) == []
    with holding(server, "postgres", "SELECT pg_advisory_lock(4711)", CHANGE) as pid:
        assert [row[:3] for row in asked(server, "shop", sql)] == [(pid, "postgres", "hidden")]
        assert [row[:3] for row in asked(server, "looker", sql)] == [(pid, "postgres", "idle in transaction")]
    with (
        holding(server, "app", CHANGE),
        sent(server, "postgres", "/* 1 */ ALTER TABLE wishlist_items ADD COLUMN n int") as pid,
    ):
        assert [row[:3] for row in asked(server, "shop", sql)] == [(pid, "postgres", "hidden")]
    with holding(server, "app", CHANGE):  # the application is none
        assert asked(server, "looker", sql) == []
