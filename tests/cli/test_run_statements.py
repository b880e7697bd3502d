"""What of a step was committed is not done twice; what ended with its session is there again, or missed."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace

import psycopg
import pytest

from support.bench import Bench
from support.databases import Database
from support.runs import GATE, open_gate, run
from support.waiting import wait_until

SLOW = "SELECT CASE WHEN (SELECT count(*) FROM gate) = 0 THEN pg_sleep(60) END;"


def note(text: str) -> str:
    return f"INSERT INTO public.trace (note) VALUES ('{text}');"


def noted(value: str) -> str:
    return f"INSERT INTO public.trace (note) SELECT {value};"


def generating(*statements: str) -> str:
    values = ", ".join(f"($${statement}$$)" for statement in statements)
    return f"VALUES {values}\n\\gexec"


def stopped_at_the_gate(bench: Bench, database: Database) -> None:
    status, _, err = run(bench, database)
    assert status == 1, err
    assert "22012" in err
    open_gate(database)


# --- not twice --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        f"{note('a')}\n{note('b')}\n{GATE}\n{note('c')}",
        f"BEGIN;\n{note('a')}\n{note('b')}\nCOMMIT;\n{GATE}\n{note('c')}",
        f"{note('a')}\nBEGIN;\n{note('b')}\nCOMMIT;\nBEGIN;\n{GATE}\n{note('c')}\nCOMMIT;",
        generating(note("a"), note("b"), GATE, note("c")),
        f"DO $$BEGIN {note('a')} COMMIT; {note('b')} END$$;\n{GATE}\n{note('c')}",
        f"BEGIN;\n{note('a')}\nSAVEPOINT s;\n{note('x')}\nROLLBACK TO s;\n{note('b')}\n"
        f"COMMIT AND CHAIN;\n{GATE}\n"
        f"{note('c')}\nCOMMIT;",
        f"VACUUM public.trace;\n{note('a')}\n{note('b')}\nSET LOCAL work_mem = '5MB';\n{GATE}\n{note('c')}",
        f"BEGIN READ ONLY;\nSELECT 1;\nCOMMIT;\n{note('a')}\n{note('b')}\n{GATE}\n{note('c')}",
        f"BEGIN;\n{note('lost')}\nROLLBACK;\n{note('a')}\n{note('b')}\n{GATE}\n{note('c')}",
        f"SET default_transaction_read_only = on;\nSELECT 1;\nSET default_transaction_read_only = off;\n"
        f"{note('a')}\n{note('b')}\n{GATE}\n{note('c')}",
    ],
)  # fmt: skip
def test_statements_of_a_step_that_stopped(bench: Bench, gated: Database, cell: str) -> None:
    bench.runbook([cell])
    stopped_at_the_gate(bench, gated)
    assert gated.trace() == ["a", "b"]
    status, _, err = run(bench, gated)
    assert status == 0, err
    assert gated.trace() == ["a", "b", "c"]


def test_what_a_query_generates_may_be_less_now(bench: Bench, gated: Database) -> None:
    """A generator that looks at what is done gives the rest; equal statements are counted."""
    wanted = "VALUES (1, 'a'), (2, 'same'), (3, 'same'), (4, NULL), (5, 'same')"
    query = (
        "SELECT CASE WHEN label IS NULL THEN $$" + GATE + "$$ ELSE"
        " format('INSERT INTO public.trace (note) VALUES (%L)', label) END"
        f" FROM ({wanted}) AS w (n, label) WHERE n > 1 OR NOT EXISTS"
        " (SELECT FROM public.trace WHERE note = 'a') ORDER BY n\n\\gexec"
    )
    bench.runbook([query])
    stopped_at_the_gate(bench, gated)
    assert gated.trace() == ["a", "same", "same"]
    assert run(bench, gated)[0] == 0
    assert gated.trace() == ["a", "same", "same", "same"]


def test_a_transaction_across_steps(bench: Bench, gated: Database) -> None:
    bench.runbook([f"{note('a')}\nBEGIN;", note("b"), f"{note('c')}\nCOMMIT;\n{GATE}", note("d")])
    stopped_at_the_gate(bench, gated)
    assert run(bench, gated)[0] == 0
    assert gated.trace() == ["a", "b", "c", "d"]


def test_a_commit_that_fails_did_nothing(bench: Bench, gated: Database) -> None:
    gated.execute(
        "CREATE TABLE parent (n int PRIMARY KEY); CREATE TABLE child (n int REFERENCES parent"
        " DEFERRABLE INITIALLY DEFERRED)"
    )
    bench.runbook(
        [
            note("a"),
            "INSERT INTO child VALUES (1);",
            f"BEGIN;\nINSERT INTO child VALUES (2);\n{note('b')}\nCOMMIT;",
            note("c"),
        ]
    )
    for missing in (1, 2):
        status, _, err = run(bench, gated)
        assert status == 1
        assert "23503" in err
        assert gated.trace() == ["a"]
        gated.execute(f"INSERT INTO parent VALUES ({missing})")
    assert run(bench, gated)[0] == 0
    assert gated.trace() == ["a", "b", "c"]
    assert gated.execute("SELECT n FROM child ORDER BY n") == [(1,), (2,)]


def test_a_step_that_is_not_as_the_runbook_says_is_done_again(bench: Bench, gated: Database) -> None:
    """Nobody looked at what it did; a run that left it out would pretend that it was checked."""
    cell = "UPDATE gate SET open = true;"
    bench.runbook([note("a"), f"```sql\n{cell}\n```\n\n```text\nUPDATE 1\n```", note("c")])
    assert run(bench, gated)[0] == 1
    assert run(bench, gated)[0] == 1
    open_gate(gated)
    assert run(bench, gated)[0] == 0
    assert gated.trace() == ["a", "c"]


def test_outputs_are_compared_whole(bench: Bench, gated: Database) -> None:
    """After another attempt they are; after another run the rest alone would differ."""
    cell = f"{note('a')}\nALTER TABLE gate ADD COLUMN more int;"
    bench.runbook([f"```sql\n{cell}\n```\n\n```text\nINSERT 0 1\nALTER TABLE\n```"])
    with psycopg.connect(gated.dsn) as holder:
        holder.execute("LOCK TABLE gate IN ACCESS SHARE MODE")
        call = ("--lock-timeout", "50ms", "--attempts", "1")
        status, _, err = run(bench, gated, *call)
        assert (status, "55P03" in err) == (1, True)
    assert run(bench, gated)[0] == 0
    assert gated.trace() == ["a"]


@pytest.mark.parametrize(
    "cell",
    [
        f"{note('a')}\nALTER TABLE gate ADD COLUMN more int;",
        f"BEGIN;\n{note('a')}\nCOMMIT;\nALTER TABLE gate ADD COLUMN more int;",
        f"{note('a')}\nBEGIN;\nSET LOCAL work_mem = '5MB';\nALTER TABLE gate ADD COLUMN more int;\nCOMMIT;",
        generating(note("a"), "ALTER TABLE gate ADD COLUMN more int"),
        f"PREPARE p AS {note('a')}\nEXECUTE p;\nCREATE TEMP TABLE t ();\n"
        "ALTER TABLE gate ADD COLUMN more int;",
    ],
)  # fmt: skip
@pytest.mark.parametrize("recorded", [True, False])
def test_only_what_was_rolled_back_is_tried_again(
    bench: Bench, gated: Database, monkeypatch: pytest.MonkeyPatch, cell: str, recorded: bool
) -> None:
    from pgrehearse.execution import backoff
    from pgrehearse.execution.runbook.run_ledger import RunLedger

    if not recorded:
        monkeypatch.setattr(RunLedger, "prepare", lambda ledger: "no right")
    lines = cell.count(";") - cell.count("PREPARE")
    tags = "" if "gexec" in cell or lines > 2 else "\n\n```text\nINSERT 0 1\nALTER TABLE\n```"
    bench.runbook([f"```sql\n{cell}\n```{tags}", note("after")])
    with psycopg.connect(gated.dsn) as holder:
        holder.execute("LOCK TABLE gate IN ACCESS SHARE MODE")
        tries: list[float] = []

        def sleep(seconds: float) -> None:
            tries.append(seconds)
            if len(tries) == 3:
                holder.rollback()

        monkeypatch.setattr(backoff, "time", SimpleNamespace(sleep=sleep))
        status, _, err = run(bench, gated, "--lock-timeout", "50ms")
    assert status == 0, err
    assert len(tries) == 3
    assert gated.trace() == ["a", "after"]


# --- what ended with the session ------------------------------------------------------------------

PATH = "CREATE SCHEMA other; CREATE TABLE other.trace (LIKE public.trace INCLUDING ALL)"


@pytest.mark.parametrize(
    "first",
    [
        f"SET search_path = other, public;\n{note('one')}",
        f"{note('one')}\nSET search_path = other, public;",
        f"BEGIN;\n{note('one')}\nSET search_path = other, public;\nCOMMIT;",
        f"BEGIN;\n{note('one')}\nSET search_path = pg_catalog;\nROLLBACK;\n"
        f"{note('one')}\nSET search_path = other;",
        f"DO $$BEGIN {note('one')} PERFORM set_config('search_path', 'other', false); END$$;",
        f"{note('one')}\nSELECT public.away();",
        generating(note("one"), "SET search_path = other"),
        f"{note('one')}\nSET search_path = pg_catalog;\nRESET search_path;\n"
        "SET SESSION search_path TO other;",
        f"{note('one')}\nSET search_path = other;\nSET default_transaction_read_only = off;",
    ],
)  # fmt: skip
def test_a_search_path_is_made_again(bench: Bench, gated: Database, first: str) -> None:
    """The rows of another table would be changed."""
    gated.execute(PATH)
    gated.execute(
        "CREATE FUNCTION away() RETURNS text LANGUAGE sql AS"
        " $$SELECT set_config('search_path', 'other', false)$$"
    )
    last = "INSERT INTO trace (note) VALUES ('last');"
    bench.runbook(
        [first, GATE.replace("gate", "public.gate"), last],
        verify="SELECT 1 / (current_setting('search_path') LIKE 'other%')::int AS there;",
    )
    stopped_at_the_gate(bench, gated)
    status, _, err = run(bench, gated)
    assert status == 0, err
    assert gated.trace() == ["one"]
    assert gated.execute("SELECT note FROM other.trace") == [("last",)]


@pytest.mark.parametrize(
    ("first", "shown"),
    [
        (f"{note('one')}\nSET ROLE pg_monitor;", "current_user"),
        ("DO $$BEGIN SET ROLE pg_monitor; END$$;", "current_user"),
        (f"{note('one')}\nSET app.tenant = '7';", "current_setting('app.tenant', true)"),
        (f"{note('one')}\nCREATE TEMP TABLE t AS SELECT 'x' AS v;", "(SELECT v FROM t)"),
        (f"BEGIN;\n{note('one')}\nCREATE FUNCTION pg_temp.f() RETURNS text RETURN 'f';\nCOMMIT;",
         "pg_temp.f()"),
        (f"{note('one')}\nPREPARE p AS SELECT 1;", "(SELECT name FROM pg_prepared_statements)"),
        (f"{note('one')}\nSELECT pg_advisory_lock(7);",
         "(SELECT objid::text FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
         " AND classid = 0)"),
        (f"{note('one')}\nLISTEN ch;", "(SELECT pg_listening_channels())"),
    ],
)  # fmt: skip
def test_whatever_ended_with_the_session_is_made_again(
    bench: Bench, gated: Database, first: str, shown: str
) -> None:
    expected = {"current_user": "pg_monitor", "(SELECT v FROM t)": "x", "pg_temp.f()": "f"}.get(shown, "")
    check = f"SELECT 1 / (coalesce(({shown})::text, '-') <> '-')::int AS there;"
    if expected:
        check = f"SELECT 1 / (({shown})::text = '{expected}')::int AS there;"
    gated.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC")
    bench.runbook([first, GATE, "SELECT 2;"], verify=check)
    stopped_at_the_gate(bench, gated)
    status, _, err = run(bench, gated)
    assert status == 0, err
    assert gated.trace() in (["one"], [])


@pytest.mark.parametrize(
    ("first", "named"),
    [
        ("CREATE TEMP TABLE t (n int);\nINSERT INTO t VALUES (1);", "rows of t"),
        ("CREATE TEMP TABLE t AS SELECT clock_timestamp() AS at;", "rows of t"),
        ("CREATE TEMP TABLE t AS SELECT count(*) FROM public.trace;\n" + note("one"), "rows of t"),
        ("DO $$BEGIN PERFORM set_config('app.tenant', '7', false); END$$;", "custom setting app.tenant"),
        ("DO $$BEGIN CREATE TEMP TABLE t (); END$$;", "temporary relation t"),
        ("DO $$BEGIN EXECUTE 'PREPARE p AS SELECT 1'; END$$;", "prepared statement p"),
        ("BEGIN;\nDECLARE c CURSOR WITH HOLD FOR SELECT generate_series(1, 3);\nCOMMIT;", "cursor c"),
        ("SELECT public.locks();", "advisory lock 0 7"),
        ("CREATE TEMP TABLE t (n int);\nDO $$BEGIN DROP TABLE t; END$$;", "temporary relation t"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_again_is_missed(bench: Bench, gated: Database, first: str, named: str) -> None:
    gated.execute("CREATE FUNCTION locks() RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_lock(7)'")
    bench.runbook([first, GATE, note("last")])
    stopped_at_the_gate(bench, gated)
    before = gated.trace()
    status, _, err = run(bench, gated)
    assert status == 1
    assert "what the session of the earlier run had cannot be made again" in err
    assert named in err
    assert "run it with --from-top" in err
    assert gated.trace() == before
    assert run(bench, gated, "--from-top")[0] == 0
    assert gated.trace() == [*before, *before, "last"]


@pytest.mark.parametrize(
    "first",
    [
        "SELECT set_config('search_path', 'public', false) FROM made();",
        "SELECT set_config('my.made', made()::text, false);",
        "CREATE TEMP TABLE t AS SELECT made() AS at;",
        "SELECT made() AS at INTO TEMP t;",
        "CREATE TEMP TABLE t AS WITH gone AS (DELETE FROM trace RETURNING note) SELECT note FROM gone;",
        "DECLARE c CURSOR WITH HOLD FOR SELECT made();",
        "SELECT pg_advisory_lock(made());",
        "SELECT format('SELECT set_config(%L, made()::text, false)', 'my.made') \\gexec",
    ],
)
def test_the_session_is_not_made_again_where_that_would_change_something(
    bench: Bench, gated: Database, first: str
) -> None:
    gated.execute(
        "CREATE FUNCTION made() RETURNS int LANGUAGE sql"
        " AS $$INSERT INTO trace (note) VALUES ('made') RETURNING 1$$"
    )
    bench.runbook([first, GATE, note("last")])
    stopped_at_the_gate(bench, gated)
    gated.execute(note("of somebody else"))
    before = gated.trace()
    status, _, err = run(bench, gated)
    assert status == 1
    assert "cannot be made again without a change of: trace" in err
    assert "run it with --from-top" in err
    assert gated.trace() == before


HOSTILE = """
CREATE SCHEMA evil;
CREATE FUNCTION evil.never(text, text) RETURNS bool LANGUAGE sql AS 'SELECT false';
CREATE FUNCTION evil.never(jsonb, jsonb) RETURNS bool LANGUAGE sql AS 'SELECT false';
CREATE FUNCTION evil.always(jsonb, jsonb) RETURNS bool LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.never);
CREATE OPERATOR evil.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.never);
CREATE OPERATOR evil.= (LEFTARG = jsonb, RIGHTARG = jsonb, FUNCTION = evil.always);
CREATE FUNCTION evil.concat(text, text) RETURNS text LANGUAGE sql AS 'SELECT ''forged''';
CREATE TABLE evil.pg_settings (name text, setting text, source text);
CREATE TABLE evil.step (LIKE public.trace);
CREATE DOMAIN evil.text AS int;
CREATE ROLE run_stranger;
GRANT USAGE ON SCHEMA evil TO run_stranger;
GRANT ALL ON ALL TABLES IN SCHEMA public TO run_stranger;
"""


@pytest.mark.parametrize(
    "surroundings",
    [
        "SET search_path = evil, pg_catalog, public;",
        "SET ROLE run_stranger;",
        "SET SESSION AUTHORIZATION run_stranger;",
        "SET row_security = off;",
        "SET standard_conforming_strings = off;",
        "SET session_replication_role = replica;",
        "SET default_transaction_isolation = 'serializable';",
        "SET DateStyle = 'German'; SET bytea_output = 'escape'; SET extra_float_digits = -15;",
        "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = on;",
    ],
)
def test_records_are_true_in_all_surroundings(bench: Bench, gated: Database, surroundings: str) -> None:
    gated.execute(HOSTILE)
    try:
        gate = "SELECT 1 OPERATOR(pg_catalog./) (SELECT pg_catalog.count(*)::int4 FROM public.gate);"
        bench.runbook([f"{note('one')}\n{surroundings}\n{note('two')}\n{gate}", note("three")])
        stopped_at_the_gate(bench, gated)
        status, _, err = run(bench, gated)
        assert status == 0, err
        assert gated.trace() == ["one", "two", "three"]
        states = gated.execute("SELECT state::text FROM pgrehearse.step WHERE state <> '{}'")
        assert states and "forged" not in str(states)
    finally:
        gated.execute("DROP OWNED BY run_stranger; DROP ROLE run_stranger")


def test_what_preflight_makes_is_of_every_run(bench: Bench, gated: Database) -> None:
    own = "CREATE TEMP TABLE p AS SELECT clock_timestamp() AS at;\nSET work_mem = '7MB';"
    bench.runbook([note("one"), GATE, noted("current_setting('work_mem')")], preflight=own)
    stopped_at_the_gate(bench, gated)
    assert run(bench, gated, "--lock-timeout", "3s")[0] == 0
    assert gated.trace() == ["one", "7MB"]


@pytest.mark.parametrize(
    "asks",
    [
        "INSERT INTO public.trace (note) VALUES ('asked') RETURNING 'SELECT 1'",
        "WITH w AS (INSERT INTO public.trace (note) VALUES ('asked')) SELECT 'SELECT 1'",
        "SELECT public.asked()",
        "SELECT public.asked() FROM set_config('default_transaction_read_only', 'off', false)",
    ],
)
def test_a_generating_query_only_looks(bench: Bench, gated: Database, asks: str) -> None:
    """It is asked again by a run that goes on: what it changed would be changed twice."""
    function = (
        "CREATE FUNCTION asked() RETURNS text LANGUAGE sql AS"
        " $$INSERT INTO public.trace (note) VALUES ('asked'); SELECT 'SELECT 1'$$;"
    )
    gated.execute(function)
    table = "CREATE TABLE trace (note text);"
    bench.write("db/migrations/1_trace.sql", f"-- migrate:up\n{table}\n{function}\n-- migrate:down\n")
    bench.runbook([f"{asks}\n\\gexec\n{GATE}"])
    status, _, err = run(bench, gated)
    assert (status, "25006" in err) == (1, True), err
    assert "asked again after an interruption" in err
    assert gated.trace() == []
    rehearsed = bench.call("test", "runbooks", "--no-keep")
    assert (rehearsed.status, "25006" in rehearsed.out + rehearsed.err) == (1, True), rehearsed


def test_a_generating_query_in_a_transaction_of_the_runbook_is_done_once(
    bench: Bench, gated: Database
) -> None:
    asks = "INSERT INTO public.trace (note) VALUES ('asked') RETURNING $$" + note("generated") + "$$"
    bench.runbook([f"BEGIN;\n{asks}\n\\gexec\nCOMMIT;\n{GATE}", note("last")])
    stopped_at_the_gate(bench, gated)
    status, _, err = run(bench, gated)
    assert status == 0, err
    assert gated.trace() == ["asked", "generated", "last"]


# --- what was begun -----------------------------------------------------------------------------------


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


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_between_two_statements_of_a_step(bench: Bench, gated: Database, how: signal.Signals) -> None:
    bench.runbook([f"{note('one')}\n{SLOW}\n{note('two')}"])
    process = bench.start("run", "sample", "--yes", "--dsn", gated.dsn)
    wait_until(lambda: gated.running("pg_sleep") or process.poll() is not None, "the slow statement runs")
    os.kill(process.pid, how)
    _, err = process.communicate(timeout=60)
    wait_until(lambda: gated.backends() == 0, "the server has ended its part")
    if how != signal.SIGKILL:
        assert process.returncode == 130, err
        assert "interrupted: the statement under way was canceled; run again to go on" in err
        assert gated.one("SELECT outcome FROM pgrehearse.run") == "stopped"
    assert gated.trace() == ["one"]
    open_gate(gated)
    status, _, err = run(bench, gated)
    assert status == 0, err
    assert gated.trace() == ["one", "two"]
