"""A run that stopped goes on where it stopped, whatever stopped it, and only when it is the same run."""

from __future__ import annotations

import os
import signal

import psycopg
import pytest
from psycopg import sql

from pgrehearse.servers import Server
from support.bench import Bench
from support.databases import Database
from support.runs import GATE, generating, note, open_gate, run
from support.waiting import LIMIT, wait_until

LABEL = '  label: {description: Label, example: x, default: "ok"}\n'


def test_resumes_after_a_stop(bench: Bench, gated: Database) -> None:
    bench.runbook([note("one"), GATE, note("three")])
    assert run(bench, gated)[0] == 1
    open_gate(gated)
    status, out, err = run(bench, gated)
    assert status == 0, err
    assert "1 done steps are left out (--from-top repeats them)" in out
    assert "Apply 1/3: Step  done in the earlier run" in out
    assert gated.trace() == ["one", "three"]
    assert (
        bench.logs()[1][0]["resumed"]
        == [event["line"] for event in bench.logs()[0] if event["event"] == "step"][1:2]
    )
    assert run(bench, gated)[0] == 0
    assert gated.trace() == ["one", "three", "one", "three"], "a run that ended is not resumed"


def test_resumes_twice(bench: Bench, gated: Database) -> None:
    bench.runbook([note("one"), GATE, note("three"), "SELECT 1 / (SELECT count(*) - 1 FROM gate);"])
    assert run(bench, gated)[0] == 1
    open_gate(gated)
    assert run(bench, gated)[0] == 1
    open_gate(gated)
    assert run(bench, gated)[0] == 0
    assert gated.trace() == ["one", "three"]


def test_from_top_repeats_everything(bench: Bench, gated: Database) -> None:
    bench.runbook([note("one"), GATE])
    assert run(bench, gated)[0] == 1
    open_gate(gated)
    assert run(bench, gated, "--from-top")[0] == 0
    assert gated.trace() == ["one", "one"]


def test_equal_steps_are_told_apart(bench: Bench, gated: Database) -> None:
    bench.runbook([note("same"), GATE, note("same")])
    assert run(bench, gated)[0] == 1
    open_gate(gated)
    assert run(bench, gated)[0] == 0
    assert gated.trace() == ["same", "same"]


def test_preflight_and_verify_are_always_repeated(bench: Bench, gated: Database) -> None:
    bench.runbook([note("one"), GATE])
    assert run(bench, gated)[0] == 1
    open_gate(gated)
    assert run(bench, gated)[0] == 0
    phases = [[event["phase"] for event in log if event["event"] == "step"] for log in bench.logs()]
    assert phases == [["Preflight", "Apply", "Apply"], ["Preflight", "Apply", "Verify"]]
    assert gated.trace() == ["one"]


@pytest.mark.parametrize(
    "cell",
    [
        "SET pgrehearse_test.mark = 'here';",
        "SELECT set_config('pgrehearse_test.mark', 'here', false);",
        "/* why */ SET pgrehearse_test.mark = 'here';",
        "SELECT\n  pg_catalog.\"set_config\" ('pgrehearse_test.mark', $$here$$, 'f');",
        "CREATE TEMP TABLE mark AS SELECT 'here' AS note;",
        "create temporary table mark as select 'here' as note;",
        "CREATE OR REPLACE FUNCTION pg_temp.mark() RETURNS text RETURN 'here';",
        "PREPARE mark AS INSERT INTO trace (note) VALUES ('here');",
    ],
)
def test_what_lives_in_the_session_is_made_again(bench: Bench, gated: Database, cell: str) -> None:
    use = note("here")
    if "pgrehearse_test.mark" in cell:
        use = "INSERT INTO trace (note) VALUES (current_setting('pgrehearse_test.mark'));"
    elif "table" in cell.lower():
        use = "INSERT INTO trace (note) SELECT note FROM mark;"
    elif "FUNCTION" in cell:
        use = "INSERT INTO trace (note) VALUES (pg_temp.mark());"
    elif "PREPARE" in cell:
        use = "EXECUTE mark;"
    bench.runbook([cell, GATE, use])
    assert run(bench, gated)[0] == 1
    open_gate(gated)
    status, _, err = run(bench, gated)
    assert status == 0, err
    assert gated.trace() == ["here"]


def test_what_a_transaction_lost_is_done_again(bench: Bench, gated: Database) -> None:
    bench.runbook([note("kept"), "BEGIN;", note("lost"), GATE, "COMMIT;"])
    assert run(bench, gated)[0] == 1
    open_gate(gated)
    assert run(bench, gated)[0] == 0
    assert gated.trace() == ["kept", "lost"]


@pytest.mark.parametrize(
    ("makes", "unless", "undoes"),
    [
        (
            "ALTER TABLE trace ADD CONSTRAINT c CHECK (at > 0)",
            "conname = 'c'",
            "ALTER TABLE trace DROP CONSTRAINT c",
        ),
        ("CREATE INDEX CONCURRENTLY i ON trace (at)", "to_regclass('i') IS NOT NULL", "DROP INDEX i"),
        (
            "COMMENT ON TABLE trace IS 'x'",
            "obj_description('trace'::regclass, 'pg_class') = 'x'",
            "COMMENT ON TABLE trace IS NULL",
        ),
    ],
)
def test_what_somebody_undid_is_done_again(
    bench: Bench, gated: Database, makes: str, unless: str, undoes: str
) -> None:
    again = f"SELECT $${makes}$$ WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE {unless})\n\\gexec"
    bench.runbook([again, note("once"), generating(note("generated")), GATE])
    assert run(bench, gated)[0] == 1
    gated.execute(undoes)
    open_gate(gated)
    status, out, err = run(bench, gated)
    assert status == 0, err
    assert "Apply 1/4: Step: done in the earlier run, and undone since: it is due again" in out
    assert f"    {makes};" in out
    assert gated.one(f"SELECT EXISTS (SELECT FROM pg_constraint WHERE {unless})")
    assert gated.trace() == ["once", "generated"], "rows are not changed twice"


def test_what_is_temporary_is_made_again_and_not_taken_for_undone(bench: Bench, gated: Database) -> None:
    made = "DROP TABLE IF EXISTS pg_temp.probe;\n" + generating(
        "CREATE TEMPORARY TABLE probe (a int)", "CREATE INDEX probe_a ON pg_temp.probe (a)"
    )
    check = f"{made}\nSELECT 'ok' AS preflight;"
    used = "INSERT INTO trace (note) SELECT count(*)::text FROM probe;"
    bench.runbook([made, GATE, used], preflight=check)
    assert run(bench, gated)[0] == 1
    open_gate(gated)
    status, out, err = run(bench, gated)
    assert (status, "undone since" in out) == (0, False), err
    assert gated.trace() == ["0"]


def test_what_replaces_is_not_taken_for_undone(bench: Bench, gated: Database) -> None:
    function = "CREATE OR REPLACE FUNCTION same() RETURNS int LANGUAGE sql AS 'SELECT 1'"
    bench.runbook([generating(function), GATE])
    assert run(bench, gated)[0] == 1
    open_gate(gated)
    status, out, err = run(bench, gated)
    assert (status, "undone since" in out) == (0, False), err


def test_what_was_undone_comes_before_what_a_later_step_made_of_the_session(
    bench: Bench, gated: Database
) -> None:
    makes = "SELECT 'CREATE TABLE made ()' WHERE to_regclass('made') IS NULL\n\\gexec"
    helper = "CREATE FUNCTION pg_temp.helper() RETURNS int LANGUAGE sql AS 'SELECT 1'"
    used = "INSERT INTO trace (note) SELECT pg_temp.helper()::text"
    bench.runbook([makes, f"{helper};\n{GATE}", used])
    assert run(bench, gated)[0] == 1
    gated.execute("DROP TABLE made")
    open_gate(gated)
    status, out, err = run(bench, gated)
    assert (status, "undone since" in out) == (0, True), err
    assert gated.trace() == ["1"]


def test_what_is_there_still_is_left_out(bench: Bench, gated: Database) -> None:
    """The negative control."""
    makes = "SELECT 'CREATE TABLE made ()' WHERE to_regclass('made') IS NULL\n\\gexec"
    bench.runbook([makes, GATE])
    assert run(bench, gated)[0] == 1
    open_gate(gated)
    status, out, err = run(bench, gated)
    assert (status, "undone since" in out) == (0, False), err
    assert "Apply 1/2: Step  done in the earlier run" in out


def test_other_values_do_not_resume(bench: Bench, gated: Database) -> None:
    bench.runbook(["INSERT INTO trace (note) VALUES (:'label');", GATE], parameters=LABEL)
    assert run(bench, gated)[0] == 1
    open_gate(gated)
    assert run(bench, gated, "--set", "label=other")[0] == 0
    assert gated.trace() == ["ok", "other"]


def test_an_edited_runbook_does_not_resume(bench: Bench, gated: Database) -> None:
    bench.runbook([note("one"), GATE])
    assert run(bench, gated)[0] == 1
    open_gate(gated)
    bench.runbook([note("one"), GATE, note("three")])
    assert run(bench, gated)[0] == 0
    assert gated.trace() == ["one", "one", "three"]


def test_another_database_of_the_same_name_does_not_resume(
    bench: Bench, gated: Database, server: Server
) -> None:
    """Staging is often made anew from a dump, under its old name."""
    bench.runbook([note("one"), GATE])
    assert run(bench, gated)[0] == 1
    name, other = sql.Identifier(gated.name), sql.Identifier(gated.name + "_old")
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(name, other))
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, other))
        admin.execute(sql.SQL("DROP DATABASE {}").format(other))
    gated.mark("staging")
    open_gate(gated)
    gated.execute("TRUNCATE trace")
    assert run(bench, gated)[0] == 0
    assert gated.trace() == ["one"]


def test_after_a_roll_back_nothing_counts_as_done(bench: Bench, gated: Database) -> None:
    bench.runbook([note("one"), GATE])
    assert run(bench, gated)[0] == 1
    assert run(bench, gated, "--phase", "roll-back")[0] == 0
    assert gated.trace() == []
    open_gate(gated)
    assert run(bench, gated)[0] == 0
    assert gated.trace() == ["one"]


def test_resumes_from_a_log_elsewhere(bench: Bench, gated: Database) -> None:
    bench.runbook([note("one"), GATE])
    assert run(bench, gated, "--log", "own.jsonl")[0] == 1
    open_gate(gated)
    assert run(bench, gated, "--log", "own.jsonl")[0] == 0
    assert gated.trace() == ["one"]
    assert run(bench, gated, "--log", "own.jsonl")[0] == 0
    assert gated.trace() == ["one", "one"], "the last run in that log ended"


def test_a_log_cut_off_in_the_middle_of_a_line(bench: Bench, gated: Database) -> None:
    bench.runbook([note("one"), GATE])
    assert run(bench, gated)[0] == 1
    (log,) = (bench.root / ".pgrehearse" / "runs").glob("*.jsonl")
    log.write_text(log.read_text("utf-8") + '{"at": "2026-01-01T00:00:0', encoding="utf-8")
    (bench.root / ".pgrehearse" / "runs" / "0.jsonl").write_bytes(b'\xff\xfe{"event": 1}\n[]\n')
    open_gate(gated)
    assert run(bench, gated)[0] == 0
    assert gated.trace() == ["one"]


SOMETIMES = "SELECT CASE WHEN (SELECT count(*) FROM gate) = 0 THEN pg_sleep(60) END;"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_resumes_after_it_was_ended_in_the_middle_of_a_statement(
    bench: Bench, gated: Database, how: signal.Signals
) -> None:
    bench.runbook([note("one"), f"BEGIN;\n{note('lost')}\n{SOMETIMES}\nCOMMIT;", note("three")])
    process = bench.start("run", "sample", "--yes", "--dsn", gated.dsn)
    wait_until(lambda: gated.running("pg_sleep") or process.poll() is not None, "the slow step runs")
    os.kill(process.pid, how)
    out, err = process.communicate(timeout=LIMIT)
    wait_until(lambda: gated.backends() == 0, "the server has ended its part")
    if how == signal.SIGINT:
        assert process.returncode == 130, err
        assert "interrupted: the statement under way was canceled; run again to go on" in err
        assert "Traceback" not in err
        assert bench.logs()[0][-1] == {
            **bench.logs()[0][-1],
            "event": "stopped",
            "error": "KeyboardInterrupt",
        }
    assert "Apply 1/3" in out
    assert gated.trace() == ["one"]
    open_gate(gated)
    status, _, err = run(bench, gated)
    assert status == 0, err
    assert gated.trace() == ["one", "lost", "three"]


def test_ctrl_c_in_a_python_step(bench: Bench, gated: Database) -> None:
    source = (
        "import psycopg\nwith psycopg.connect(application_name='pgrehearse python') as c:\n"
        "    c.execute('SELECT pg_sleep(60)')"
    )
    bench.runbook([note("one"), f"```python\n{source}\n```"])
    process = bench.start("run", "sample", "--yes", "--dsn", gated.dsn)
    wait_until(lambda: gated.running("pg_sleep") or process.poll() is not None, "the slow step runs")
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 130, err
    wait_until(lambda: gated.backends() == 0, "the server has ended its part")
