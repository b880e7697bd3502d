"""A COMMIT that fails, or whose end the client does not see: done is what the server committed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgrehearse.errors import ExpectationError
from pgrehearse.servers import Server
from pgrehearse.servers.local import start
from support.majors import TEST_MAJOR
from support.places import Place, place_at
from support.waiting import LIMIT, wait_until

TABLES = """CREATE TABLE thing (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
CREATE TABLE part (id int, thing int REFERENCES thing DEFERRABLE INITIALLY DEFERRED);"""
#: A deferred trigger that refuses with a SQLSTATE, as often as ``budget`` says; it counts by a sequence,
#: which no rollback takes back.
GUARD = """CREATE TABLE part (id int);
CREATE SEQUENCE refused;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('public.refused') <= {budget} THEN
        RAISE EXCEPTION 'not now' USING ERRCODE = '{state}';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR DELETE ON part DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse();
"""


def outcomes(place: Place) -> list[str]:
    return [cost.outcome for cost in place.attempts()[-1].statements]


def test_a_statement_whose_commit_failed_is_not_done(place: Place) -> None:
    place.write(1, TABLES)
    place.write(
        2,
        "transaction:false\nINSERT INTO part VALUES (1, 7);\n"
        "CREATE INDEX CONCURRENTLY part_thing ON part (thing);",
    )
    error = place.refused(ExpectationError)
    assert "(23503)" in error.message and error.line == 3
    assert "0 of 2 statements are done" in str(error.next_step)
    assert outcomes(place) == ["failed"]
    assert place.applied() == ["1"]
    place.execute("INSERT INTO thing VALUES (7)")
    place.up()
    assert place.execute("SELECT id, thing FROM part") == [(1, 7)]
    assert outcomes(place) == ["done", "done"]


def test_a_part_whose_commit_failed_is_not_applied(place: Place) -> None:
    place.write(1, TABLES)
    place.write(2, "INSERT INTO thing VALUES (1);\nINSERT INTO part VALUES (1, 7);")
    error = place.refused(ExpectationError)
    assert "(23503)" in error.message and "nothing of it is applied" in str(error.next_step)
    assert set(outcomes(place)) == {"rolled back"}
    assert place.applied() == ["1"]


@pytest.mark.parametrize("side", ["", "transaction:false\n"])
def test_an_undoing_whose_commit_failed_is_not_undone(place: Place, side: str) -> None:
    place.write(1, GUARD.format(budget=1, state="P0001"))
    place.write(2, "SELECT 1;", f"{side}DELETE FROM part;")
    place.up()
    place.execute("SET session_replication_role = replica; INSERT INTO part VALUES (1)")
    with pytest.raises(ExpectationError, match="not now"):
        place.down()
    assert "done" not in outcomes(place) and place.applied() == ["1", "2"]
    place.down()
    assert place.applied() == ["1"] and place.one("SELECT count(*) FROM part") == 0


@pytest.mark.parametrize("side", ["", "transaction:false\n"])
def test_a_serialization_failure_at_commit_is_tried_again_and_then_not_done(place: Place, side: str) -> None:
    place.write(1, GUARD.format(budget=3, state="40001"))
    place.write(2, f"{side}INSERT INTO part VALUES (1);\nSELECT 1;")
    place.refused(ExpectationError)  # two tries
    assert "done" not in outcomes(place)
    place.up()  # the third fails as well, the fourth does not
    assert place.one("SELECT count(*) FROM part") == 1
    assert place.attempts()[-1].statements[0].tries == 2


@pytest.mark.parametrize("state", ["25001", "2D000"])
def test_a_commit_that_refuses_like_a_statement_is_not_taken_for_one(place: Place, state: str) -> None:
    """The SQLSTATEs of what wants no transaction, from elsewhere: the record stays one with the row."""
    place.write(1, GUARD.format(budget=1, state=state))
    place.write(2, "transaction:false\nINSERT INTO part VALUES (1);")
    assert f"({state})" in place.refused(ExpectationError).message
    assert place.one("SELECT count(*) FROM part") == 0
    place.up()
    assert place.one("SELECT count(*) FROM part") == 1


# A COMMIT that waits: for a synchronous standby that is not there.

#: The commit of this statement waits; no other does.
SLOW = (
    "DO $$ BEGIN INSERT INTO part VALUES (1); PERFORM set_config('synchronous_commit', 'on', true); END $$;"
)
SLOW_DOWN = (
    "DO $$ BEGIN INSERT INTO part VALUES (2); PERFORM set_config('synchronous_commit', 'on', true); END $$;"
)


@pytest.fixture(scope="module")
def alone() -> Iterator[Server]:
    """A server whose only standby is gone."""
    settings = {"synchronous_standby_names": "nobody", "synchronous_commit": "local"}
    with start(TEST_MAJOR, settings=settings) as server:
        yield server


@pytest.fixture
def waiting(tmp_path: Path, alone: Server) -> Iterator[Place]:
    name = f"w_{os.urandom(4).hex()}"
    with psycopg.connect(alone.dsn(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    with place_at(tmp_path, alone.dsn(name)) as place:
        place.write(1, "CREATE TABLE part (id int);")
        place.up()
        yield place


def committing(place: Place) -> list[int]:
    """The backends that wait in COMMIT."""
    return [
        pid
        for (pid,) in place.execute(
            "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()"
        )
    ]


def signaled(number: signal.Signals) -> Callable[[Place], None]:
    return lambda place: os.kill(place.processes[-1].pid, number)


def terminated(place: Place) -> None:
    place.execute(f"SELECT pg_terminate_backend({committing(place)[0]})")


STOPS = {
    "SIGINT": signaled(signal.SIGINT),
    "SIGTERM": signaled(signal.SIGTERM),
    "SIGHUP": signaled(signal.SIGHUP),
    "backend": terminated,
}


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("side", ["", "transaction:false\n"])
def test_stopped_while_commit_waits_it_is_applied_once(waiting: Place, side: str, stop: str) -> None:
    waiting.write(2, f"{side}{SLOW}")
    process = waiting.start("up")
    wait_until(lambda: len(committing(waiting)) == 1, "the commit waits")
    STOPS[stop](waiting)
    out, err = process.communicate(timeout=LIMIT)
    wait_until(lambda: waiting.backends() == 0, "nothing of the runner is left")
    assert waiting.one("SELECT count(*) FROM part") == 1
    assert outcomes(waiting) == ["done"], out + err
    if not side:
        assert waiting.applied() == ["1", "2"]
        assert waiting.attempts()[-1].outcome == "done"
    waiting.up()
    assert waiting.one("SELECT count(*) FROM part") == 1
    assert waiting.applied() == ["1", "2"]
    assert [a.outcome for a in waiting.attempts() if a.version == "2"][-1] == "done"


@pytest.mark.parametrize("stop", ["SIGINT", "backend"])
@pytest.mark.parametrize("side", ["", "transaction:false\n"])
def test_stopped_while_the_commit_of_an_undoing_waits_it_is_undone_once(
    waiting: Place, side: str, stop: str
) -> None:
    waiting.write(2, "SELECT 1;", f"{side}{SLOW_DOWN}")
    waiting.up()
    process = waiting.start("rollback")
    wait_until(lambda: len(committing(waiting)) == 1, "the commit waits")
    STOPS[stop](waiting)
    process.communicate(timeout=LIMIT)
    wait_until(lambda: waiting.backends() == 0, "nothing of the runner is left")
    assert outcomes(waiting) == ["done"]
    if side:
        waiting.down()
    assert waiting.applied() == ["1"]
    assert waiting.one("SELECT count(*) FROM part") == 1


def test_what_was_committed_is_said_to_be_applied(waiting: Place) -> None:
    waiting.write(2, SLOW)
    process = waiting.start("up")
    wait_until(lambda: len(committing(waiting)) == 1, "the commit waits")
    terminated(waiting)
    out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, err
    assert "applied 2_step" in out
    waiting.write(3, SLOW.replace("(1)", "(3)"))
    process = waiting.start("up")
    wait_until(lambda: len(committing(waiting)) == 1, "the commit waits")
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 130
    assert "3_step is committed" in err


def test_a_crash_while_commit_waits_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    settings = {"synchronous_standby_names": "nobody", "synchronous_commit": "local"}
    with start(TEST_MAJOR, settings=settings) as server, place_at(tmp_path, server.dsn()) as place:
        place.write(1, "CREATE TABLE part (id int);")
        place.up()
        place.write(2, f"transaction:false\n{SLOW}\nINSERT INTO part VALUES (2);")
        process = place.start("up")
        wait_until(lambda: len(committing(place)) == 1, "the commit waits")
        os.kill(committing(place)[0], signal.SIGKILL)
        process.communicate(timeout=LIMIT)
        assert process.returncode not in (0, 130)

        def back() -> bool:
            try:
                return place.backends() == 0
            except psycopg.OperationalError:
                return False

        wait_until(back, "the server is back")
        place.up()
        assert place.execute("SELECT id FROM part ORDER BY id") == [(1,), (2,)]
        assert place.applied() == ["1", "2"]


def test_whatever_becomes_of_the_connection_the_ledger_is_asked(waiting: Place) -> None:
    """The backend still waits in COMMIT when the client gives up: nothing is claimed, nothing overwritten."""
    waiting.write(2, SLOW)
    proxy_free = make_conninfo(waiting.dsn)
    process = Place(proxy_free, waiting.root, processes=waiting.processes).start("up")
    wait_until(lambda: len(committing(waiting)) == 1, "the commit waits")
    process.kill()
    process.communicate(timeout=LIMIT)
    assert waiting.command("up", "--wait", "0")[0] == 69  # its lock is held until the commit has an end
    terminated(waiting)
    wait_until(lambda: waiting.backends() == 0, "nothing of the runner is left")
    assert waiting.up() == []
    assert waiting.one("SELECT count(*) FROM part") == 1
