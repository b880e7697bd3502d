"""Who is in the way is told apart, and what is offered ends it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgrehearse.servers import Server, start
from support.majors import TEST_MAJOR
from support.waiting import wait_until

WHO = (Path(__file__).parents[3] / "snippets" / "sql" / "who-is-in-the-way.sql").read_text("utf-8")
#: How a session comes to block, and what another one then waits for.
KINDS = {
    "idle in transaction": ("BEGIN; LOCK TABLE shop", "SELECT * FROM shop"),
    "idle, with a lock": ("SELECT pg_advisory_lock(4711)", "SELECT pg_advisory_lock(4711)"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with start(TEST_MAJOR) as one:
        with psycopg.connect(one.dsn(), autocommit=True) as connection:
            connection.execute("CREATE TABLE shop (id int)")
        yield one


@pytest.mark.parametrize("kind", KINDS)
def test_the_cure_lets_the_waiting_one_go_on(server: Server, kind: str) -> None:
    blocks, waits = KINDS[kind]
    with (
        psycopg.connect(server.dsn(), autocommit=True) as look,
        psycopg.connect(server.dsn(), autocommit=True) as waiting,
    ):
        blocker = psycopg.connect(server.dsn(), autocommit=True)
        blocker.execute(blocks.encode())
        waiting.pgconn.send_query(waits.encode())
        wait_until(lambda: bool(look.execute(WHO.encode()).fetchall()), "one waits")
        ((pid, behind, said, cure, *_),) = look.execute(WHO.encode()).fetchall()
        assert (pid, behind, said) == (blocker.info.backend_pid, 1, kind)
        look.execute(cure.encode())
        while result := waiting.pgconn.get_result():
            assert result.status == psycopg.pq.ExecStatus.TUPLES_OK, result.error_message
        with pytest.raises(psycopg.OperationalError):
            blocker.execute("SELECT 1")
        blocker.close()


def test_a_worker_that_applies_changes_is_ended_and_not_canceled() -> None:
    with start(TEST_MAJOR, settings={"wal_level": "logical"}) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute("CREATE DATABASE copy")
        with (
            psycopg.connect(server.dsn(), autocommit=True) as publisher,
            psycopg.connect(server.dsn("copy"), autocommit=True) as here,
            psycopg.connect(server.dsn("copy")) as writer,
            psycopg.connect(server.dsn("copy"), autocommit=True) as ddl,
        ):
            for side in (publisher, here):
                side.execute("CREATE TABLE wish (id int PRIMARY KEY)")
            publisher.execute("CREATE PUBLICATION wishes FOR TABLE wish")
            publisher.execute("SELECT pg_create_logical_replication_slot('wishes', 'pgoutput')")
            here.execute(
                f"CREATE SUBSCRIPTION wishes CONNECTION '{server.dsn()}' PUBLICATION wishes WITH"
                " (create_slot = false, copy_data = false, disable_on_error = true)".encode()
            )
            writer.execute("INSERT INTO wish VALUES (1)")
            publisher.execute("INSERT INTO wish VALUES (1)")
            wait_until(lambda: len(here.execute(WHO.encode()).fetchall()) == 1, "the worker waits")
            ddl.pgconn.send_query(b"ALTER TABLE wish ADD COLUMN note text")
            wait_until(lambda: len(here.execute(WHO.encode()).fetchall()) == 2, "the change waits for both")
            cures = {kind: cure for _, _, kind, cure, *_ in here.execute(WHO.encode()).fetchall()}
            assert cures.keys() == {"idle in transaction", "applies a subscription"}
            assert cures["applies a subscription"].startswith("SELECT pg_terminate_backend(")
            here.execute(cures["applies a subscription"].encode())
            writer.rollback()
            while result := ddl.pgconn.get_result():
                assert result.status == psycopg.pq.ExecStatus.COMMAND_OK, result.error_message
            arrived = "SELECT (SELECT count(*) FROM wish), bool_and(subenabled) FROM pg_subscription"
            wait_until(lambda: here.execute(arrived).fetchone() == (1, True), "the row has arrived")
            here.execute("DROP SUBSCRIPTION wishes")
