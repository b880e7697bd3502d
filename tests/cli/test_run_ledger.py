"""What a run did is known from the database it did it to, and from nowhere else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgrehearse.migration.runner import exclusive
from pgrehearse.servers import Server
from pgrehearse.servers.binaries import client
from support import databases
from support.bench import Bench
from support.databases import Database, Owned, owned_on
from support.runs import GATE, note, open_gate, run
from support.waiting import wait_until

SLOW = "SELECT CASE WHEN (SELECT count(*) FROM gate) = 0 THEN pg_sleep(60) END;"
SET_UP = "CREATE TABLE trace (at int GENERATED ALWAYS AS IDENTITY, note text); CREATE TABLE gate (open bool)"


def stopped_at_the_gate(bench: Bench, database: Database, *more: str) -> None:
    status, _, err = run(bench, database, *more)
    assert status == 1, err
    open_gate(database)


# --- whose database it is ------------------------------------------------------------------------


def test_without_its_logs_a_run_goes_on(bench: Bench, gated: Database) -> None:
    bench.runbook([note("one"), GATE, note("three")])
    stopped_at_the_gate(bench, gated)
    shutil.rmtree(bench.root / ".pgrehearse")
    status, out, err = run(bench, gated)
    assert status == 0, err
    assert "done in the earlier run" in out
    assert gated.trace() == ["one", "three"]


def test_logs_of_elsewhere_say_nothing(bench: Bench, gated: Database, server: Server) -> None:
    """Another cluster at the same address: here, another database, with logs that name it."""
    bench.runbook([note("one"), GATE, note("three")])
    stopped_at_the_gate(bench, gated)
    (log,) = (bench.root / ".pgrehearse" / "runs").glob("*.jsonl")
    with databases.fresh(server, "staging") as dsn:
        other = Database(dsn)
        other.execute(SET_UP)
        open_gate(other)
        oids = [
            one.one("SELECT oid::text FROM pg_database WHERE datname = current_database()")
            for one in (gated, other)
        ]
        text = log.read_text("utf-8").replace(f"{gated.name} {oids[0]}", f"{other.name} {oids[1]}")
        log.write_text(text, "utf-8")
        assert run(bench, other)[0] == 0
        assert other.trace() == ["one", "three"]


@pytest.mark.parametrize("how", ["another checkout", "another log", "an edited text"])
def test_a_roll_back_from_anywhere_counts(bench: Bench, gated: Database, how: str, tmp_path: Path) -> None:
    text = bench.runbook([note("one"), GATE, note("three")])
    stopped_at_the_gate(bench, gated)
    more = ["--phase", "roll-back"]
    if how == "another checkout":
        shutil.move(bench.root / ".pgrehearse", tmp_path / "away")
    elif how == "another log":
        more += ["--log", str(tmp_path / "elsewhere.jsonl")]
    else:
        bench.write("runbooks/sample.md", text + "\nA remark.\n")
    assert run(bench, gated, *more)[0] == 0
    if how == "another checkout":
        shutil.rmtree(bench.root / ".pgrehearse")
        shutil.move(tmp_path / "away", bench.root / ".pgrehearse")
    bench.write("runbooks/sample.md", text)
    assert gated.trace() == []
    assert run(bench, gated)[0] == 0
    assert gated.trace() == ["one", "three"]


def test_a_roll_back_by_the_exported_script_counts(bench: Bench, gated: Database) -> None:
    bench.runbook([note("one"), GATE, note("three")])
    stopped_at_the_gate(bench, gated)
    script = bench.root / "sample.sql"
    assert bench.call("export", "sample", "--to", "sql", "-o", str(script)).status == 0
    command = [str(client("psql")), "-X", "-v", "roll_back=1", "-f", str(script), gated.dsn]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert gated.trace() == []
    assert run(bench, gated)[0] == 0
    assert gated.trace() == ["one", "three"]


def test_a_roll_back_with_other_values_counts(bench: Bench, gated: Database) -> None:
    """Two spellings of one table are two values: what a roll back undid is not known by them."""
    parameters = '  table: {description: Table, example: trace, default: "trace"}\n'
    insert = """INSERT INTO :"table" (note) VALUES ('one');"""
    bench.runbook([insert, GATE], parameters=parameters)
    stopped_at_the_gate(bench, gated)
    assert run(bench, gated, "--phase", "roll-back", "--set", "table=TRACE")[0] == 0
    assert run(bench, gated)[0] == 0
    assert gated.trace() == ["one"]


def test_a_clock_set_back_changes_no_order(
    bench: Bench, gated: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import UTC, datetime

    from pgrehearse.execution.runbook import run as runs

    bench.runbook([note("one"), GATE, note("three")])
    stopped_at_the_gate(bench, gated)
    monkeypatch.setattr(runs, "now", lambda: datetime(2001, 1, 1, tzinfo=UTC))
    assert run(bench, gated, "--phase", "roll-back")[0] == 0
    gated.execute("UPDATE pgrehearse.run SET started = started - interval '20 years' WHERE id = 2")
    monkeypatch.undo()
    monkeypatch.chdir(bench.root)
    assert run(bench, gated)[0] == 0
    assert gated.trace() == ["one", "three"]


def test_two_databases_in_one_log(bench: Bench, gated: Database, server: Server) -> None:
    bench.runbook([note("one"), GATE, note("three")])
    with databases.fresh(server, "staging") as dsn:
        other = Database(dsn)
        other.execute(SET_UP)
        for one in (gated, other):
            stopped_at_the_gate(bench, one, "--log", "one.jsonl")
        for one in (gated, other):
            assert run(bench, one, "--log", "one.jsonl")[0] == 0
            assert one.trace() == ["one", "three"]


@pytest.mark.parametrize("what", ["copy", "system identifier", "timeline"])
def test_a_copy_does_not_go_on_from_what_belongs_to_another(
    bench: Bench, gated: Database, server: Server, what: str
) -> None:
    """A restored copy has the rows, ledger and all; what the run did outside of them it may not have."""
    bench.runbook([note("one"), GATE, note("three")])
    stopped_at_the_gate(bench, gated)
    gated.execute("TRUNCATE trace")
    if what == "copy":
        name = f"{gated.name}_copy"
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE {name} TEMPLATE "{gated.name}"'.encode())
        copy = Database(make_conninfo(gated.dsn, dbname=name))
        copy.mark("staging")
        try:
            assert run(bench, copy)[0] == 0
            assert copy.trace() == ["one", "three"]
        finally:
            databases.execute(server.dsn(), f"DROP DATABASE {name} WITH (FORCE)")
        return
    field = {"system identifier": 1, "timeline": 2}[what]
    gated.execute(
        f"UPDATE pgrehearse.run SET place = replace(place, split_part(place, ' ', {field}), '000000FF')"
    )
    assert run(bench, gated)[0] == 0
    assert gated.trace() == ["one", "three"]


def test_the_record_holds_what_was_done_and_no_secret(bench: Bench, gated: Database) -> None:
    parameters = (
        "  label: {description: Label, example: x}\n"
        "  password: {description: Password, example: x}\n"
        "  source: {description: Connection, example: x}\n"
    )
    use = "SELECT :'label', :'password', :'source';"
    text = bench.runbook([use, "INSERT INTO trace (note) VALUES (:'label');"], parameters=parameters)
    given = ["label=x", "password=hush-hush", "source=host=there password=hush-too"]
    status, _, err = run(bench, gated, *(word for one in given for word in ("--set", one)))
    assert status == 0, err
    everything = str(
        gated.execute("SELECT r::text, s::text FROM pgrehearse.run r JOIN pgrehearse.step s ON true")
    )
    log = json.dumps(bench.logs())
    assert "hush" not in everything + log
    ((values,),) = gated.execute("SELECT parameters FROM pgrehearse.run")
    assert [values[name][:7] for name in ("password", "source")] == ["hidden ", "hidden "]
    assert values["label"] == "x"
    (kept,) = gated.execute("SELECT runbook, phases, environment, outcome FROM pgrehearse.run")
    assert kept == (
        "sample.md",
        ["Preflight", "Apply", "Verify"],
        "staging",
        "done",
    )
    line = bench.line(text, "SELECT :'label'") - 1
    steps = gated.execute("SELECT line, statement, outcome FROM pgrehearse.step ORDER BY position")
    assert [step for step in steps if step[0] == line] == [(line, 1, "done"), (line, 0, "done")]


# --- rights -----------------------------------------------------------------------------------------


@pytest.fixture
def owned(server: Server) -> Iterator[Owned]:
    with owned_on(server) as made:
        databases.mark(made.admin, "staging")
        databases.execute(made.admin, f"{SET_UP}; GRANT ALL ON trace, gate TO PUBLIC")
        databases.execute(made.admin, "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO PUBLIC")
        yield made


def test_the_owner_of_a_database_needs_no_superuser(bench: Bench, owned: Owned) -> None:
    bench.runbook([note("one"), GATE, note("three")])
    stopped_at_the_gate(bench, owned)
    assert run(bench, owned)[0] == 0
    assert owned.trace() == ["one", "three"]


def test_without_the_right_a_run_is_not_recorded_and_not_resumed(bench: Bench, owned: Owned) -> None:
    databases.execute(owned.admin, f'ALTER DATABASE "{owned.name}" OWNER TO CURRENT_USER')
    bench.runbook([note("one"), GATE, note("three")])
    status, out, _ = run(bench, owned)
    assert status == 1
    assert f'GRANT CREATE ON DATABASE "{owned.name}" TO "{owned.owner}"' in out
    assert "a later run begins at the top" in out
    open_gate(owned)
    status, out, err = run(bench, owned)
    assert status == 0, err
    assert owned.trace() == ["one", "one", "three"]


@pytest.mark.parametrize("phase", ["apply", "roll-back"])
def test_a_run_that_could_not_be_recorded_beside_others_is_refused(
    bench: Bench, owned: Owned, phase: str
) -> None:
    """It would make the ledger untrue: what it rolls back would still count as done."""
    bench.runbook([note("one"), GATE])
    admin = Database(owned.admin)
    stopped_at_the_gate(bench, admin)
    status, _, err = run(bench, owned, "--phase", phase)
    assert status == 69
    assert f'the role "{owned.owner}" may not write the ledger of runs' in err
    assert "GRANT SELECT, INSERT, UPDATE ON pgrehearse.run, pgrehearse.step" in err
    databases.execute(
        owned.admin,
        f"GRANT USAGE ON SCHEMA pgrehearse TO {owned.owner};"
        f" GRANT SELECT, INSERT, UPDATE ON pgrehearse.run, pgrehearse.step TO {owned.owner}",
    )
    assert run(bench, owned)[0] == 0
    assert owned.trace() == ["one"]


@pytest.mark.parametrize(
    "harm",
    [
        "ALTER TABLE pgrehearse.step ENABLE ROW LEVEL SECURITY",
        "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        " CREATE TRIGGER lose BEFORE INSERT ON pgrehearse.step FOR EACH ROW EXECUTE FUNCTION lose()",
        "CREATE RULE lose AS ON INSERT TO pgrehearse.run DO INSTEAD NOTHING",
        "ALTER TABLE pgrehearse.step RENAME TO other; CREATE VIEW pgrehearse.step AS TABLE pgrehearse.other",
        "DROP TABLE pgrehearse.step",
        "ALTER TABLE pgrehearse.step SET UNLOGGED",
    ],
)
def test_a_ledger_that_is_none_is_refused(bench: Bench, gated: Database, harm: str) -> None:
    bench.runbook([note("one"), GATE])
    stopped_at_the_gate(bench, gated)
    gated.execute(harm)
    status, _, err = run(bench, gated)
    assert status == 69
    assert "refused" in err
    assert "pgrehearse.step" in err or "pgrehearse.run" in err
    assert gated.trace() == ["one"]
    assert run(bench, gated, "--phase", "preflight")[0] == 0, "who only looks needs no ledger"


# --- together with others -------------------------------------------------------------------------


def test_two_runs_of_a_runbook_exclude_each_other(
    bench: Bench, gated: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pgrehearse.execution.runbook import locks

    monkeypatch.setattr(locks, "_PATIENCE", 0.3)
    bench.runbook([note("one"), SLOW])
    bench.runbook([note("other")], name="other")
    process = bench.start("run", "sample", "--yes", "--dsn", gated.dsn)
    wait_until(lambda: gated.running("pg_sleep") or process.poll() is not None, "the slow step runs")
    for more in ([], ["--from-top"], ["--phase", "roll-back"]):
        status, _, err = run(bench, gated, *more)
        assert status == 69
        assert "another run of sample.md is at work: pid" in err
    assert run(bench, gated, "--phase", "verify")[0] == 0, "looking harms nobody"
    other = bench.call("run", "other", "--yes", "--dsn", gated.dsn)
    assert other.status == 0, other.err
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    monkeypatch.setattr(locks, "_PATIENCE", 20.0)
    open_gate(gated)
    status, _, err = run(bench, gated)
    assert status == 0, err
    assert gated.trace() == ["one", "other"]


def test_the_session_of_a_killed_run_is_waited_for(
    bench: Bench, gated: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client is gone, and PostgreSQL does not know it yet."""
    from pgrehearse.execution.runbook import locks

    monkeypatch.setattr(locks, "_PATIENCE", 0.3)
    bench.runbook([note("one")])
    with psycopg.connect(gated.dsn, autocommit=True) as left:
        left.execute(locks.hold("sample.md").encode())
        status, _, err = run(bench, gated)
        assert status == 69
        assert f"another run of sample.md is at work: pid {left.info.backend_pid}" in err
    assert run(bench, gated)[0] == 0


@pytest.mark.parametrize("gives_up", ["SELECT pg_advisory_unlock_all();", "DISCARD ALL;"])
def test_a_step_that_gives_up_the_lock_has_it_again(bench: Bench, gated: Database, gives_up: str) -> None:
    from pgrehearse.execution.runbook import locks

    bench.runbook(
        [
            gives_up,
            f"INSERT INTO trace (note) SELECT count(*)::text FROM pg_locks WHERE locktype ="
            f" 'advisory' AND pid = pg_backend_pid() AND classid = {locks.LOCK_CLASS};",
        ]
    )
    status, _, err = run(bench, gated)
    assert status == 0, err
    assert gated.trace() == ["1"]


@pytest.mark.parametrize(
    "step",
    [
        "DELETE FROM pgrehearse.step;",
        "UPDATE pgrehearse.run SET outcome = 'done';",
        "DO $$BEGIN EXECUTE 'DELETE FROM pgrehearse.step'; END$$;",
        "BEGIN;\nDELETE FROM pgrehearse.step;\nSELECT 1;\nCOMMIT;",
    ],
)
def test_a_step_that_changes_what_is_done_is_refused(bench: Bench, gated: Database, step: str) -> None:
    bench.runbook([note("one"), step])
    status, _, err = run(bench, gated)
    assert status == 1
    assert "this step changes the ledger of runs" in err
    run(bench, gated)
    assert gated.trace() == ["one"]


def test_runs_and_the_runner_of_migrations_exclude_each_other(
    bench: Bench, gated: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pgrehearse.execution.runbook import locks

    monkeypatch.setattr(locks, "_PATIENCE", 0.3)
    bench.runbook([note("one"), SLOW])
    bench.write("db/migrations/1_a.sql", "-- migrate:up\nCREATE TABLE made ();\n-- migrate:down\n")
    with exclusive.connect(gated.dsn) as connection, exclusive.locked(connection, 1, lambda _: None):
        status, _, err = run(bench, gated)
        assert status == 69
        assert "another runner of migrations is at work: pid" in err
        assert gated.trace() == []
    process = bench.start("run", "sample", "--yes", "--dsn", gated.dsn)
    wait_until(lambda: gated.running("pg_sleep") or process.poll() is not None, "the slow step runs")
    up = bench.call("db", "up", "--dsn", gated.dsn, "--wait", "0.3")
    assert up.status == 69
    assert "another runner is at work" in up.err
    assert gated.one("SELECT to_regclass('made')") is None
