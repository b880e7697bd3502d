"""Killed, canceled, terminated: the next run finishes, does nothing twice, and leaves nothing INVALID."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pgrehearse.errors import ExpectationError, SetupError
from pgrehearse.servers.local import start
from support.majors import TEST_MAJOR
from support.places import Place, place_at
from support.waiting import LIMIT, wait_until

TABLE = "CREATE TABLE thing (id int PRIMARY KEY, n int NOT NULL DEFAULT 0, body text);"
ROWS = "INSERT INTO thing SELECT generate_series(1, 500);"
INDEX = "transaction:false\nCREATE INDEX CONCURRENTLY thing_n ON thing (n);"


def stopped_while(place: Place, part: str, how: Callable[[int], None]) -> None:
    """Run ``up`` while a transaction writes ``thing``, so that ``part`` waits for it; then ``how(pid)``.

    Returns when nothing of the runner is left.
    """
    with place.session() as writer:
        writer.execute("LOCK TABLE thing IN ROW EXCLUSIVE MODE")
        process = place.start("up")
        wait_until(lambda: place.running(part, waits=True), f"{part} waits")
        how(process.pid)
        process.wait(LIMIT)
        assert process.returncode != 0
    wait_until(lambda: place.backends() == 0, "the runner's backends are gone")


def terminated(place: Place) -> Callable[[int], None]:
    """The backend ends, as by a fail-over; the client lives on and reports it."""
    query = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgrehearse db'"
        " AND datname = current_database()"
    )
    return lambda pid: place.execute(query) and None


def killed(pid: int) -> None:
    """The client is gone, the backend carries on."""
    os.kill(pid, signal.SIGKILL)


def finished(place: Place) -> None:
    """The next run goes through, the ledger is true, nothing is INVALID."""
    place.up()
    assert place.applied() == [migration.version for migration in place.migrations()]
    assert place.invalid() == []
    last = {attempt.version: attempt for attempt in place.attempts()}
    assert {attempt.outcome for attempt in last.values()} == {"done"}
    assert not [a for a in place.attempts() if a.outcome == "running"]
    assert place.up() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_canceled_build_is_recorded_and_done_again(place: Place, number: signal.Signals) -> None:
    place.write(1, TABLE + ROWS)
    place.up()
    place.write(2, INDEX)
    stopped_while(place, "CREATE INDEX", lambda pid: os.kill(pid, number))
    assert place.processes[-1].returncode == 130
    attempt = place.attempts()[-1]
    assert (attempt.outcome, attempt.error) == ("interrupted", "by the operator")
    assert attempt.finished is not None and attempt.statements[0].outcome == "failed"
    assert place.invalid() == ["thing_n"]
    finished(place)
    assert any("clearing away: INVALID index thing_n" in line for line in place.told)


def test_a_terminated_build_is_done_again(place: Place) -> None:
    place.write(1, TABLE + ROWS)
    place.up()
    place.write(2, INDEX)
    stopped_while(place, "CREATE INDEX", terminated(place))
    assert place.invalid() == ["thing_n"]
    finished(place)


def test_a_build_whose_client_was_killed_ends_with_it(place: Place) -> None:
    """The server notices although the statement waits; the lock is free, the remains are cleared away."""
    place.write(1, TABLE + ROWS)
    place.up()
    place.write(2, INDEX)
    with place.session() as writer:
        writer.execute("LOCK TABLE thing IN ROW EXCLUSIVE MODE")
        process = place.start("up")
        wait_until(lambda: place.running("CREATE INDEX", waits=True), "the build waits")
        killed(process.pid)
        process.wait(LIMIT)
        wait_until(lambda: place.backends() == 0, "the server has noticed")
        assert place.invalid() == ["thing_n"]
    finished(place)


@pytest.mark.parametrize("side", ["", "transaction:false\n"])
def test_a_statement_whose_client_was_killed_is_undone(place: Place, side: str) -> None:
    place.write(1, TABLE)
    place.up()
    place.write(2, f"{side}INSERT INTO thing SELECT 1 FROM pg_sleep(3600);")
    process = place.start("up")
    wait_until(lambda: place.running("INSERT INTO thing"), "it is at work")
    killed(process.pid)
    wait_until(lambda: place.backends() == 0, "the server has noticed")
    place.write(2, f"{side}INSERT INTO thing VALUES (1);")
    finished(place)
    assert place.one("SELECT count(*) FROM thing") == 1


def test_a_build_that_ended_before_its_record_is_not_repeated(place: Place) -> None:
    place.write(1, TABLE + ROWS)
    place.up()
    place.write(2, INDEX)
    with place.session() as writer:
        writer.execute("LOCK TABLE thing IN ROW EXCLUSIVE MODE")
        process = place.start("up")
        wait_until(lambda: place.running("CREATE INDEX", waits=True), "the build waits")
        os.kill(process.pid, signal.SIGSTOP)
    wait_until(lambda: place.invalid() == [] and not place.running("CREATE INDEX"), "it is built")
    killed(process.pid)
    wait_until(lambda: place.backends() == 0, "the server has noticed")
    oid = place.one("SELECT 'thing_n'::regclass::oid")
    finished(place)
    assert place.one("SELECT 'thing_n'::regclass::oid") == oid


def test_a_build_that_was_edited_after_its_failure_leaves_nothing_of_the_first(place: Place) -> None:
    place.write(1, f"{TABLE} INSERT INTO thing VALUES (1, 7), (2, 7);")
    place.write(2, "transaction:false\nCREATE UNIQUE INDEX CONCURRENTLY thing_one ON thing (n);")
    assert "(23505)" in place.refused(ExpectationError).message
    assert place.invalid() == ["thing_one"]
    place.write(2, "transaction:false\nCREATE INDEX CONCURRENTLY thing_two ON thing (n);")
    finished(place)
    assert place.one("SELECT to_regclass('thing_one')") is None


@pytest.mark.parametrize("what", ["INDEX", "TABLE", "SCHEMA"])
def test_an_interrupted_reindex_leaves_no_ccnew(place: Place, what: str) -> None:
    name = {"INDEX": "thing_pkey", "TABLE": "thing", "SCHEMA": "public"}[what]
    place.write(1, TABLE + ROWS)
    place.up()
    place.write(2, f"transaction:false\nREINDEX {what} CONCURRENTLY {name};")
    stopped_while(place, "REINDEX", terminated(place))
    assert "thing_pkey_ccnew" in place.invalid()
    if what == "TABLE":
        assert any("pg_toast" in index for index in place.invalid())
    finished(place)
    assert place.one("SELECT count(*) FROM pg_class WHERE relname ~ '_cc(new|old)'") == 0


@pytest.mark.parametrize("how", ["terminated", "killed"])
def test_an_interrupted_drop_is_finished(place: Place, how: str) -> None:
    place.write(1, f"{TABLE} {ROWS} CREATE INDEX thing_n ON thing (n);")
    place.up()
    place.write(2, "transaction:false\nDROP INDEX CONCURRENTLY thing_n;")
    stopped_while(place, "DROP INDEX", terminated(place) if how == "terminated" else killed)
    assert place.invalid() == (["thing_n"] if how == "terminated" else [])
    finished(place)
    assert place.one("SELECT to_regclass('thing_n')") is None


@pytest.mark.parametrize("how", ["terminated", "killed"])
def test_an_interrupted_detach_is_finalized(place: Place, how: str) -> None:
    place.write(
        1,
        "CREATE TABLE thing (id int) PARTITION BY RANGE (id);"
        "CREATE TABLE part PARTITION OF thing FOR VALUES FROM (0) TO (9);",
    )
    place.up()
    place.write(2, "transaction:false\nALTER TABLE thing DETACH PARTITION part CONCURRENTLY;")
    stopped_while(place, "DETACH", terminated(place) if how == "terminated" else killed)
    pending = place.execute("SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = 'part'::regclass")
    assert pending == ([(True,)] if how == "terminated" else [])
    finished(place)
    assert place.execute("SELECT FROM pg_inherits WHERE inhrelid = 'part'::regclass") == []


def test_what_is_not_ours_is_refused_with_the_statement_that_clears_it(place: Place) -> None:
    place.write(1, TABLE + ROWS)
    place.up()
    with pytest.raises(psycopg.errors.UniqueViolation):
        place.execute("CREATE UNIQUE INDEX CONCURRENTLY thing_n ON thing (n)")
    place.write(2, INDEX)
    error = place.refused(ExpectationError)
    assert "INVALID index thing_n is in the way" in error.message and error.line == 3
    drop = 'DROP INDEX CONCURRENTLY IF EXISTS "public"."thing_n";'
    assert drop in str(error.next_step)
    assert place.refused(ExpectationError).message == error.message  # the refusal does not make it ours
    place.execute(drop)
    finished(place)


def test_a_valid_index_that_is_not_ours_is_not_taken_for_a_finished_build(place: Place) -> None:
    place.write(1, f"{TABLE} CREATE INDEX thing_n ON thing (id);")
    place.write(2, INDEX)
    for _ in range(2):
        assert "thing_n is there already, and no migration here built it" in str(
            place.refused(ExpectationError)
        )
    place.write(2, INDEX.replace("CONCURRENTLY", "CONCURRENTLY IF NOT EXISTS"))
    finished(place)


def test_steps_that_were_done_are_not_done_again(place: Place) -> None:
    place.write(1, TABLE)
    place.write(
        2, f"transaction:false\nSET work_mem = '8MB';\n{ROWS}\nSELECT 1 / (SELECT count(*) - 500 FROM thing);"
    )
    assert "2 of 3 statements are done" in str(place.refused(ExpectationError))
    place.execute("DELETE FROM thing WHERE id = 500")
    finished(place)
    assert place.one("SELECT count(*) FROM thing") == 499
    assert "statement 2 was done before" in place.told


def test_what_lives_in_the_session_is_made_again(place: Place) -> None:
    place.write(1, TABLE)
    place.write(
        2,
        "transaction:false\nPREPARE mark AS INSERT INTO thing VALUES (-1, 0);\n"
        "/* why */ SELECT pg_catalog.set_config('my.mark', '7', false);\n"
        "SELECT 1 / (SELECT count(*) FROM thing);\nEXECUTE mark;\n"
        "UPDATE thing SET n = current_setting('my.mark')::int;",
    )
    place.refused(ExpectationError)
    place.execute("INSERT INTO thing VALUES (-2, 0)")
    finished(place)
    assert place.execute("SELECT id, n FROM thing ORDER BY id") == [(-2, 7), (-1, 7)]


def test_a_done_step_that_was_edited_is_refused(place: Place) -> None:
    place.write(1, f"transaction:false\n{TABLE}\nSELECT 1 / 0;")
    place.refused(ExpectationError)
    place.write(1, f"transaction:false\n{TABLE.replace('thing', 'other')}\nSELECT 1;")
    assert "an interrupted run did statement 1, and the file has another now" in str(
        place.refused(ExpectationError)
    )


def test_half_a_migration_is_finished_in_its_own_direction_first(place: Place) -> None:
    place.write(1, "SELECT 1;")
    file = place.write(
        2, f"transaction:false\n{TABLE}\nSELECT 1 / 0;", "transaction:false\nDROP TABLE thing;\nSELECT 1/0;"
    )
    place.refused(ExpectationError)
    with pytest.raises(SetupError, match="2_step is half applied"):
        place.down()
    file.write_text(file.read_text("utf-8").replace("1 / 0", "1"), "utf-8")
    place.up()
    with pytest.raises(ExpectationError):
        place.down()
    assert "2_step is half undone" in str(place.refused(SetupError))


def test_a_batch_loop_commits_and_a_block_without_commit_is_one_with_its_record(place: Place) -> None:
    place.write(1, TABLE + ROWS)
    place.write(
        2,
        "transaction:false\nDO $$ BEGIN FOR i IN 1..5 LOOP UPDATE thing SET n = n + 1"
        " WHERE n = 0 AND id <= i * 100; COMMIT; END LOOP; END $$;\n"
        "DO $$ BEGIN UPDATE thing SET n = n + 10; END $$;",
    )
    place.up()
    assert place.execute("SELECT DISTINCT n FROM thing") == [(11,)]
    assert [cost.tries for cost in place.attempts()[-1].statements] == [2, 1]


def test_a_crash_of_the_server_is_survived(tmp_path: Path) -> None:
    with start(TEST_MAJOR) as server, place_at(tmp_path, server.dsn()) as place:
        place.write(1, TABLE + ROWS)
        place.up()
        place.write(2, INDEX)
        with place.session() as writer:
            writer.execute("LOCK TABLE thing IN ROW EXCLUSIVE MODE")
            process = place.start("up")
            wait_until(lambda: place.running("CREATE INDEX", waits=True), "the build waits")
            pid = place.one("SELECT pid FROM pg_stat_activity WHERE application_name = 'pgrehearse db'")
            os.kill(pid, signal.SIGKILL)
            _, err = process.communicate(timeout=LIMIT)
        assert process.returncode == ExpectationError.exit_code
        assert "connection lost" in err and "when the server is there again, run this again" in err

        def back() -> bool:
            try:
                return place.backends() == 0
            except psycopg.OperationalError:
                return False

        wait_until(back, "the server is back")
        finished(place)
