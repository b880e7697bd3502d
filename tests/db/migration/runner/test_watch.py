"""What is said of a statement that takes long, and what is measured of its waiting."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest

from pgrehearse.migration.runner.watch import Watch
from support.places import Place
from support.waiting import wait_until

SLOW = (
    "CREATE FUNCTION slow(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS"
    " 'BEGIN PERFORM sum(i) FROM generate_series(1, 300) AS i; RETURN $1; END';"
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
    place.execute(SLOW)
    told: list[str] = []
    with (
        psycopg.connect(place.dsn, autocommit=True) as connection,
        Watch(place.dsn, connection.info.backend_pid, told.append, say=0.02) as watch,
    ):
        watch.begin()
        connection.execute(statement.encode())
        watch.end()
    assert any(said in line for line in told), told


def test_waiting_is_measured_and_its_cause_named(place: Place) -> None:
    place.execute("CREATE TABLE thing ()")
    told: list[str] = []
    with psycopg.connect(place.dsn, autocommit=True) as connection, place.session() as other:
        other.execute("LOCK TABLE thing")
        with Watch(place.dsn, connection.info.backend_pid, told.append, say=0.02) as watch:
            watch.begin()
            started = time.monotonic()
            waiting = threading.Thread(target=connection.execute, args=("SELECT FROM thing",))
            waiting.start()
            holder = f"waiting for a lock held by pid {other.info.backend_pid}"
            wait_until(lambda: any(holder in line for line in told), holder)
            wait_until(lambda: time.monotonic() - started > 0.3, "a while")
            other.rollback()
            waiting.join(10)
            waited = watch.end()
    assert 0.15 < waited < time.monotonic() - started


def test_the_watch_of_a_server_that_goes_away_is_silent(place: Place) -> None:
    ended = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'pgrehearse db watch'"
    )
    with (
        psycopg.connect(place.dsn, autocommit=True) as connection,
        Watch(place.dsn, connection.info.backend_pid, print) as watch,
    ):
        watch.begin()
        place.execute(ended)
        assert watch.end() >= 0.0
