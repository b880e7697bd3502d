"""Autovacuum gives way to DDL, except when it prevents wraparound: the diagnostic statements say so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgrehearse.servers import start
from support.majors import TEST_MAJOR
from support.waiting import LIMIT, wait_until

SNIPPETS = Path(__file__).parents[3] / "snippets" / "sql"
#: It is due after the fewest transactions there can be, and works for minutes on one table of a few pages.
DUE = {"autovacuum": "on", "autovacuum_freeze_max_age": "100000", "autovacuum_naptime": "1s"}
SLOW = "autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1"
BURN = "DO $$ BEGIN FOR n IN 1..100001 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
WORKS = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE %s"


@pytest.fixture(scope="module")
def connection() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with start(TEST_MAJOR, settings=DUE) as server, psycopg.connect(server.dsn(), autocommit=True) as one:
        one.execute(f"CREATE TABLE crowded (body text) WITH ({SLOW})")
        one.execute("INSERT INTO crowded SELECT repeat('x', 1000) FROM generate_series(1, 3000)")
        one.execute("CREATE TABLE quiet (n int)")
        one.execute(BURN)

        wait_until(lambda: works(one, "%crowded (to prevent wraparound)"), "autovacuum is at work", LIMIT)
        yield one


def works(connection: psycopg.Connection[tuple[object, ...]], what: str) -> bool:
    row = connection.execute(WORKS, [f"autovacuum:{what}"]).fetchone()
    return row is not None and bool(row[0])


def asked(connection: psycopg.Connection[tuple[object, ...]], name: str, table: str = "") -> list[list[str]]:
    sql = (SNIPPETS / f"{name}.sql").read_text("utf-8").replace(":'table'", f"'{table}'")
    return [[str(value) for value in row] for row in connection.execute(sql.encode())]


def test_a_change_would_wait_for_it(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    ((said,),) = asked(connection, "nobody-on-the-table", "crowded")
    assert said.startswith("stop: autovacuum against wraparound is at work on the table")
    assert asked(connection, "nobody-on-the-table", "quiet") == [["ok"]]


def test_it_is_told_from_what_gives_way(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    dsn = connection.info.dsn
    with psycopg.connect(dsn, autocommit=True) as ddl:
        ddl.pgconn.send_query(b"ALTER TABLE crowded ADD COLUMN n int")
        wait_until(lambda: bool(asked(connection, "who-is-in-the-way")), "the ALTER TABLE waits for it")
        ((pid, behind, kind, cure, *_),) = asked(connection, "who-is-in-the-way")
        assert (behind, kind) == ("1", "autovacuum against wraparound")
        assert cure == "let it end; cancel who waits behind it"
        assert int(pid) > 0
        connection.execute("SET ROLE pg_signal_backend")  # which may not look
        ((_, _, kind, cure, *_),) = asked(connection, "who-is-in-the-way")
        assert (kind, cure) == ("server process", "let it end; cancel who waits behind it")
        connection.execute("RESET ROLE")
        ddl.cancel_safe()
        while ddl.pgconn.get_result():
            pass


def test_the_ordinary_one_gives_way(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    connection.execute(f"CREATE TABLE often (body text) WITH ({SLOW}, autovacuum_vacuum_threshold = 0)")
    connection.execute("INSERT INTO often SELECT repeat('x', 1000) FROM generate_series(1, 3000)")
    connection.execute("DELETE FROM often")
    wait_until(lambda: works(connection, "%often"), "autovacuum is at work", LIMIT)
    connection.execute("SET lock_timeout = '300ms'")  # less than deadlock_timeout: it gives way to nobody
    for _ in range(5):
        with pytest.raises(psycopg.errors.LockNotAvailable):
            connection.execute("ALTER TABLE often ADD COLUMN n int")
    assert works(connection, "%often")
    connection.execute("SET lock_timeout = '60s'")
    connection.execute("ALTER TABLE often ADD COLUMN n int")
    connection.execute("RESET lock_timeout")
