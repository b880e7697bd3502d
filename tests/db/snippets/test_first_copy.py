"""The first copy of a table for a subscriber is told from a session that works: it is let be, like a dump."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgrehearse.servers import start
from support.majors import TEST_MAJOR
from support.waiting import wait_until

SNIPPETS = Path(__file__).parents[3] / "snippets" / "sql"
COPIES = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walsender' AND query LIKE 'COPY %'"
#: Each row that arrives waits for a lock that the test has, so the copy does not end before that.
STALLED = """
CREATE FUNCTION stalled() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END $$;
CREATE TRIGGER stalled BEFORE INSERT ON wish FOR EACH ROW EXECUTE FUNCTION stalled();
ALTER TABLE wish ENABLE ALWAYS TRIGGER stalled
"""
Connection = psycopg.Connection[Any]


@pytest.fixture(scope="module")
def copied() -> Iterator[tuple[Connection, int]]:
    """The publisher, while a subscriber copies its table, and the pid of that."""
    with start(TEST_MAJOR, settings={"wal_level": "logical"}) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute("CREATE DATABASE copy")
        with (
            psycopg.connect(server.dsn(), autocommit=True) as publisher,
            psycopg.connect(server.dsn("copy"), autocommit=True) as subscriber,
        ):
            for side in (publisher, subscriber):
                side.execute("CREATE TABLE wish (id int, title text)")
            publisher.execute(
                "INSERT INTO wish SELECT n, repeat('x', 1000) FROM generate_series(1, 20000) AS n"
            )
            publisher.execute("CREATE PUBLICATION wishes FOR TABLE wish")
            publisher.execute("SELECT pg_create_logical_replication_slot('wishes', 'pgoutput')")
            subscriber.execute(STALLED.encode())
            subscriber.execute("SELECT pg_advisory_lock(1)")
            subscriber.execute(
                f"CREATE SUBSCRIPTION wishes CONNECTION '{server.dsn()}' PUBLICATION wishes"
                " WITH (create_slot = false)".encode()
            )
            wait_until(lambda: bool(publisher.execute(COPIES).fetchall()), "the copy has begun")
            ((pid,),) = publisher.execute(COPIES).fetchall()
            yield publisher, pid
            subscriber.execute("SELECT pg_advisory_unlock(1)")
            ready = "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel"
            wait_until(lambda: subscriber.execute(ready).fetchone() == (True,), "the table is copied")
            subscriber.execute("DROP SUBSCRIPTION wishes")


def test_who_waits_for_it_is_told_to_let_it_be(copied: tuple[Connection, int]) -> None:
    publisher, pid = copied
    who = (SNIPPETS / "who-is-in-the-way.sql").read_bytes()
    with psycopg.connect(publisher.info.dsn, autocommit=True) as ddl:
        ddl.pgconn.send_query(b"ALTER TABLE wish ADD COLUMN color text")

        def told() -> dict[int, tuple[int, str, str]]:
            return {row[0]: row[1:4] for row in publisher.execute(who).fetchall()}

        wait_until(lambda: pid in told(), "the change waits")
        assert told()[pid] == (1, "a dump", "let it end; cancel who waits behind it")
        ddl.cancel_safe()
        while ddl.pgconn.get_result():
            pass


def test_the_rows_that_it_keeps_are_no_standbys(copied: tuple[Connection, int]) -> None:
    publisher, pid = copied
    keeps = (SNIPPETS / "who-keeps-dead-rows.sql").read_bytes()
    named = {holder: cure for holder, *_, cure in publisher.execute(keeps).fetchall()}
    assert named[f"copy for a subscriber, pid {pid}"] == "its first copy of a table: let it end"
    assert not any(holder.startswith("standby") for holder in named)
