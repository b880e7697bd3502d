"""What is said of a statement that takes long, and what is measured of its waiting."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest

from pgrehearse.migration.runner.watched_statements import StatementWatch
from support.places import Place
from support.waiting import LIMIT, wait_until

#: In the middle of the table it waits until somebody has opened the gate, and held it open.
GATE = 4711
SLOW = (
    "CREATE FUNCTION slow(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN"
    " WHILE $1 = 4000 AND NOT EXISTS ("
    f" SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = {GATE} AND granted)"
    " LOOP PERFORM pg_sleep(0.01); END LOOP; RETURN $1; END $$;"
    f"SELECT pg_advisory_lock({GATE});"
    "CREATE TABLE thing AS SELECT i, repeat('x', 100) AS body FROM generate_series(1, 8000) AS i;"
    "CREATE INDEX thing_i ON thing (slow(i));"
)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("CREATE INDEX CONCURRENTLY other ON thing (slow(i))", "blocks"),
        ("VACUUM (FULL) thing", "rows"),
        ("UPDATE thing SET i = slow(i) + 1", "of WAL by the whole server so far"),
    ],
)
def test_a_long_statement_says_how_far_it_is(place: Place, statement: str, said: str) -> None:
    place.execute(SLOW)  # by a session that closes the gate when it ends
    told: list[str] = []
    with (
        psycopg.connect(place.dsn, autocommit=True) as gate,
        psycopg.connect(place.dsn, autocommit=True) as connection,
    ):

        def hears(line: str) -> None:
            told.append(line)
            if said in line:
                gate.execute("SELECT pg_advisory_lock(%s)", [GATE])

        with StatementWatch(connection, place.dsn, hears, say=0.02) as watch:
            watch.run(statement)
    assert any(said in line for line in told), told


def test_waiting_is_measured_and_its_cause_named(place: Place) -> None:
    place.execute("CREATE TABLE thing ()")
    told: list[str] = []
    with psycopg.connect(place.dsn, autocommit=True) as connection, place.session() as other:
        other.execute("LOCK TABLE thing")
        with StatementWatch(connection, place.dsn, told.append, say=0.02) as watch:
            started = time.monotonic()
            waiting = threading.Thread(target=watch.run, args=("SELECT FROM thing",))
            waiting.start()
            holder = f"waiting for a lock held by pid {other.info.backend_pid}"
            wait_until(lambda: any(holder in line for line in told), holder)
            wait_until(lambda: watch.waited > 0.15, "it is measured")
            other.rollback()
            waiting.join(LIMIT)
    assert watch.waited < time.monotonic() - started


def test_a_statement_goes_on_when_its_watcher_is_gone(place: Place) -> None:
    ended = (
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'pgrehearse db watch'"
    )
    with (
        psycopg.connect(place.dsn, autocommit=True) as connection,
        StatementWatch(connection, place.dsn, print) as watch,
    ):
        wait_until(
            lambda: watch.run("SELECT pg_sleep(0.05)") is not None and bool(place.execute(ended)),
            "it was there, and is gone",
        )
        result = watch.run("SELECT pg_sleep(0.1)")
        assert (result.command_status, watch.waited) == (b"SELECT 1", 0.0)


def test_a_catalog_that_the_transaction_locked_does_not_stop_it(place: Place) -> None:
    """The look reads pg_authid and would wait for us, who wait for the look."""
    with (
        psycopg.connect(place.dsn, autocommit=True) as connection,
        StatementWatch(connection, place.dsn, print) as watch,
    ):
        connection.execute("BEGIN")
        watch.run("LOCK TABLE pg_catalog.pg_authid")
        started = time.monotonic()
        watch.run("SELECT pg_sleep(0.1)")
        connection.execute("ROLLBACK")
    assert time.monotonic() - started < LIMIT


def test_what_is_refused_raises_as_psycopg_does(place: Place) -> None:
    with (
        psycopg.connect(place.dsn, autocommit=True) as connection,
        StatementWatch(connection, place.dsn, print) as watch,
    ):
        with pytest.raises(psycopg.errors.DivisionByZero, match="division by zero"):
            watch.run("SELECT 1/0")
        assert watch.run("VALUES (1), (2)").command_tuples == 2
        with pytest.raises(psycopg.errors.AdminShutdown):
            watch.run("SELECT pg_terminate_backend(pg_backend_pid())")
        assert connection.closed


def test_an_interrupt_cancels_the_statement(place: Place) -> None:
    def interrupted(line: str) -> None:
        raise KeyboardInterrupt

    with (
        psycopg.connect(place.dsn, autocommit=True) as connection,
        StatementWatch(connection, place.dsn, interrupted, say=0.02) as watch,
    ):
        with pytest.raises(KeyboardInterrupt):
            watch.run("SELECT pg_sleep(600)")
        assert watch.run("SELECT 1").command_status == b"SELECT 1"
