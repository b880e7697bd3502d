"""A migration that meets a lock: short tries, a last one, and no deadlock left behind."""

from __future__ import annotations

import threading

import psycopg

from pgrehearse.errors import ExpectationError
from pgrehearse.execution.backoff import Backoff
from pgrehearse.migration.runner.runner import RunnerOptions
from support.places import Place
from support.waiting import LIMIT, wait_until

TABLE = "CREATE TABLE thing (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);"
ROWS = "INSERT INTO thing SELECT generate_series(1, 500);"


def test_waits_for_a_lock_in_short_tries_until_it_gets_it(place: Place) -> None:
    place.write(1, TABLE)
    place.up()
    place.write(2, "ALTER TABLE thing ADD COLUMN more int;")
    with psycopg.connect(place.dsn) as reader:
        reader.execute("SELECT count(*) FROM thing")
        backoff = Backoff(9, lambda seconds: reader.rollback())
        place.up(options=RunnerOptions(lock_timeout="2s", backoff=backoff, wait=1))
    assert "no lock within 2s, nothing is changed (55P03); try 2 of 9 in 0.5 s" in place.told
    assert place.applied() == ["1", "2"]
    (cost,) = place.attempts()[-1].statements
    assert cost.tries == 2 and cost.lock_wait_ms is not None and cost.lock_wait_ms > 100


def test_gives_up_after_the_last_try_and_says_so(place: Place) -> None:
    place.write(1, TABLE)
    place.up()
    place.write(2, "ALTER TABLE thing ADD COLUMN more int;")
    with place.session() as reader:
        reader.execute("SELECT count(*) FROM thing")
        pauses: list[float] = []
        patience = RunnerOptions(lock_timeout="50ms", backoff=Backoff(3, pauses.append))
        error = place.refused(ExpectationError, options=patience)
    assert "canceling statement due to lock timeout (55P03)" in error.message
    (cost,) = place.attempts()[-1].statements
    assert (cost.outcome, cost.tries, pauses) == ("failed", 3, [0.5, 1.0])
    assert place.applied() == ["1"]


def test_a_statement_that_needs_no_transaction_gives_up_in_the_queue_too(place: Place) -> None:
    place.write(1, TABLE)
    place.write(2, "transaction:false\nVACUUM (FULL) thing;")
    place.up(to="1")
    with place.session() as reader:
        reader.execute("SELECT count(*) FROM thing")
        assert "(55P03)" in place.refused(ExpectationError).message
    place.up()
    assert place.attempts()[-1].statements[0].rewritten == ("thing",)


def test_the_victim_of_a_deadlock_is_tried_again(place: Place) -> None:
    place.write(1, "CREATE TABLE a (n int); CREATE TABLE b (n int);")
    place.up()
    place.write(2, "LOCK TABLE a; SELECT pg_advisory_xact_lock_shared(7); ALTER TABLE b ADD COLUMN m int;")
    patient = RunnerOptions(lock_timeout="60s", backoff=Backoff(3), wait=1)
    with psycopg.connect(place.dsn) as other, psycopg.connect(place.dsn) as gate:
        gate.execute("SELECT pg_advisory_xact_lock(7)")
        other.execute("SET deadlock_timeout = '5min'")  # the other side is never the victim
        other.execute("LOCK TABLE b")
        run = threading.Thread(target=place.up, kwargs={"options": patient})
        run.start()
        wait_until(
            lambda: place.running("SELECT pg_advisory_xact_lock_shared", waits=True), "the runner has a"
        )
        asks = threading.Thread(target=other.execute, args=("LOCK TABLE a",))
        asks.start()
        waits = f"SELECT count(*) FROM pg_locks WHERE pid = {other.info.backend_pid} AND NOT granted"
        wait_until(lambda: place.one(waits) == 1, "the other waits for a")
        gate.rollback()  # the runner asks for b, which closes the circle, is ended, and lets go of a
        wait_until(lambda: any("40P01" in line for line in place.told), "deadlock")
        asks.join(LIMIT)
        other.rollback()
        run.join(LIMIT)
    assert place.applied() == ["1", "2"]
