"""What ended with the session of a step that stopped is there again, or it is missed; records stay true."""

from __future__ import annotations

import pytest

from support.bench import Bench
from support.databases import Database
from support.majors import OLD_STRINGS
from support.runs import GATE, generating, note, run, stopped_at_the_gate

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
        ("CREATE TEMP TABLE t (v text);\nINSERT INTO pg_temp.t VALUES ('x');", "(SELECT v FROM t)"),
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
        pytest.param("SET standard_conforming_strings = off;", marks=OLD_STRINGS),
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


QUIET = [f"COMMENT ON TABLE trace IS 'number {number}'" for number in range(30)]


def test_the_session_is_not_asked_after_each_of_many_statements(bench: Bench, gated: Database) -> None:
    """Each is recorded by itself; asking cost as much as twenty of them."""
    bench.runbook([f"{generating(*QUIET)}\n{GATE}", note("last")])
    stopped_at_the_gate(bench, gated)
    assert gated.execute("SELECT count(*), count(state) FROM pgrehearse.step WHERE generated > 0") == [
        (30, 0)
    ]
    status, out, err = run(bench, gated)
    assert status == 0, err
    assert "COMMENT ON" not in out  # they are done
    assert gated.one("SELECT count(state) FROM pgrehearse.step WHERE outcome = 'done'") == 2  # once for each


@pytest.mark.parametrize(
    ("hidden", "there"),
    [
        ("CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS"
         " $$BEGIN PERFORM set_config('search_path', 'other, public', false); END$$;"
         " CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()", "search_path"),
        ("CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS"
         " $$BEGIN SET TimeZone = 'Asia/Tokyo'; END$$;"
         " CREATE EVENT TRIGGER e ON ddl_command_start WHEN TAG IN ('COMMENT') EXECUTE FUNCTION f()",
         "TimeZone"),
    ],
)  # fmt: skip
def test_an_event_trigger_that_changes_the_session_is_seen(
    bench: Bench, gated: Database, hidden: str, there: str
) -> None:
    gated.execute(PATH)
    gated.execute(hidden)
    bench.runbook([f"{QUIET[0]};\n{GATE}", note("last")])
    stopped_at_the_gate(bench, gated)
    assert gated.one(f"SELECT count(*) FROM pgrehearse.step WHERE state ? 'setting {there}'") == 1


def test_the_session_is_asked_after_a_drop_that_may_be_of_something_temporary(
    bench: Bench, gated: Database
) -> None:
    """Text does not tell that the table is a temporary one."""
    bench.runbook(["CREATE TEMP TABLE t (n int);", f"DROP TABLE t;\n{GATE}"])
    assert run(bench, gated)[0] == 1
    states = gated.execute("SELECT state ? 'temporary relation t' FROM pgrehearse.step ORDER BY position")
    assert [one for (one,) in states if one is not None] == [True, False]
