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
