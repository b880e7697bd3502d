"""A concurrent build that was killed or failed: its remains are looked at, cleared, or stop the run."""

from __future__ import annotations

import os
import signal

import psycopg
import pytest

from support.bench import Bench
from support.databases import Database
from support.runs import GATE, generating, note, run, stopped_at_the_gate
from support.waiting import wait_until


def stopped_while_it_waits(bench: Bench, gated: Database) -> None:
    """``run`` is killed while its concurrent statement waits for a transaction that uses the table."""
    with psycopg.connect(gated.dsn) as holder:
        holder.execute("LOCK TABLE trace IN ROW EXCLUSIVE MODE")
        process = bench.start("run", "sample", "--yes", "--dsn", gated.dsn, "--lock-timeout", "1min")
        wait_until(
            lambda: gated.running("CONCURRENTLY", waits=True) or process.poll() is not None, "it waits"
        )
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        wait_until(lambda: gated.backends() == 0, "the server has ended its part")


def test_a_concurrent_build_that_was_killed_is_looked_at(bench: Bench, gated: Database) -> None:
    bench.runbook(
        [note("one"), "CREATE INDEX CONCURRENTLY IF NOT EXISTS trace_note ON trace (note);", note("two")]
    )
    stopped_while_it_waits(bench, gated)
    status, _, err = run(bench, gated)
    assert status == 1
    assert "an INVALID index is left: trace_note" in err
    assert "--from-top" in err
    gated.execute("DROP INDEX trace_note")
    assert run(bench, gated)[0] == 0
    assert gated.trace() == ["one", "two"]
    assert gated.one("SELECT indisvalid FROM pg_index WHERE indexrelid = 'trace_note'::regclass")


BUILD = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS trace_note ON trace (note);"


DROPS = "SELECT format('DROP INDEX CONCURRENTLY %s', indexrelid::regclass) FROM pg_index WHERE NOT indisvalid"


ABSENT = f"SELECT $${BUILD}$$ WHERE to_regclass('trace_note') IS NULL\n\\gexec"


def failed_on_duplicates(bench: Bench, gated: Database) -> None:
    """A unique build fails and leaves its index INVALID; its cause is gone then."""
    gated.execute("INSERT INTO trace (note) VALUES ('same'), ('same')")
    status, _, err = run(bench, gated)
    assert (status, "23505" in err) == (1, True), err
    gated.execute("DELETE FROM trace WHERE note = 'same'")


@pytest.mark.parametrize(
    ("step", "left"),
    [
        (f"{DROPS}\n\\gexec\n{BUILD}", 1),
        (f"DROP INDEX CONCURRENTLY IF EXISTS trace_note;\n{BUILD}", 1),
        (f"{DROPS}\n\\gexec\n{generating(BUILD)}", 1),
        (f"{DROPS}\n\\gexec\n{ABSENT}", 1),
        (f"DROP INDEX IF EXISTS public.trace_note;\n{BUILD}", 1),
        (f"DROP INDEX IF EXISTS other;\n{BUILD}", 0),
        (f"{DROPS}\n\\gexec\nCREATE UNIQUE INDEX CONCURRENTLY ON trace (note);", 1),
        (f"{BUILD}\n{note('never before')}", 0),
        (ABSENT, 0),
        (f"{ABSENT}\nSELECT 2;", 0),
        ("CREATE UNIQUE INDEX CONCURRENTLY ON trace (note);", 0),
    ],
)
def test_remains_stop_the_run_unless_its_step_clears_them(
    bench: Bench, gated: Database, step: str, left: int
) -> None:
    bench.runbook([note("one"), step, note("two")])
    failed_on_duplicates(bench, gated)
    status, _, err = run(bench, gated)
    assert gated.trace() == ["one", *["two"] * left], err
    if left:
        assert status == 0, err
    else:
        assert (status, "an INVALID index is left: trace_note" in err) == (1, True), err
        assert "drop the index yourself" in err
        gated.execute(
            "DROP INDEX trace_note"
            if gated.one("SELECT to_regclass('trace_note')")
            else "DROP INDEX trace_note_idx"
        )
        status, _, err = run(bench, gated)
        assert status == 0, err
    unique = (
        "SELECT indisvalid FROM pg_index WHERE indrelid = 'trace'::regclass AND indnatts = 1 AND indisunique"
    )
    assert gated.execute(unique) == [(True,)]


@pytest.mark.parametrize("look", [f"{DROPS}\n\\gexec", "DROP INDEX CONCURRENTLY IF EXISTS trace_note;"])
def test_remains_are_cleared_as_often_as_they_come(bench: Bench, gated: Database, look: str) -> None:
    bench.runbook([note("one"), f"{look}\n{BUILD}", note("two")])
    for _ in range(3):
        failed_on_duplicates(bench, gated)
    status, _, err = run(bench, gated)
    assert status == 0, err
    assert gated.trace() == ["one", "two"]


def test_what_a_rebuild_left_stops_the_run(bench: Bench, gated: Database) -> None:
    bench.runbook([note("one"), "REINDEX TABLE CONCURRENTLY trace;", note("two")])
    gated.execute("CREATE INDEX trace_note ON trace (note)")
    stopped_while_it_waits(bench, gated)
    assert gated.one("SELECT count(*) FROM pg_class WHERE relname = 'trace_note_ccnew'") == 1
    status, _, err = run(bench, gated)
    assert (status, "trace_note_ccnew" in err) == (1, True), err
    for (name,) in gated.execute("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid"):
        gated.execute(f"DROP INDEX {name}")
    status, _, err = run(bench, gated)
    assert status == 0, err
    assert gated.trace() == ["one", "two"]


def test_remains_of_somebody_else_stop_nobody(bench: Bench, gated: Database) -> None:
    bench.runbook([note("one"), f"DROP INDEX CONCURRENTLY IF EXISTS trace_note;\n{BUILD}", note("two")])
    gated.execute("CREATE TABLE other (n int)")
    gated.execute("CREATE INDEX other_n ON other (n)")
    gated.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'other_n'::regclass")
    failed_on_duplicates(bench, gated)
    status, _, err = run(bench, gated)
    assert status == 0, err
    assert gated.trace() == ["one", "two"]


def test_a_build_that_was_finished_after_all_is_done(bench: Bench, gated: Database) -> None:
    bench.runbook(
        [note("one"), f"CREATE INDEX CONCURRENTLY trace_note ON trace (note);\n{GATE}", note("two")]
    )
    stopped_at_the_gate(bench, gated)
    gated.execute(
        "UPDATE pgrehearse.step SET outcome = 'begun' WHERE outcome = 'done' AND line = (SELECT line"
        " FROM pgrehearse.step ORDER BY position DESC LIMIT 1)"
    )
    status, _, err = run(bench, gated)
    assert status == 0, err
    assert gated.trace() == ["one", "two"]
