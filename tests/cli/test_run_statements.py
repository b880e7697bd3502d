"""What of a step was committed is not done twice."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace

import psycopg
import pytest

from support.bench import Bench
from support.databases import Database
from support.runs import GATE, SLOW, generating, note, noted, open_gate, run, stopped_at_the_gate
from support.waiting import LIMIT, wait_until


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


def test_what_preflight_makes_is_of_every_run(bench: Bench, gated: Database) -> None:
    own = "CREATE TEMP TABLE p AS SELECT clock_timestamp() AS at;\nSET work_mem = '7MB';"
    bench.runbook([note("one"), GATE, noted("current_setting('work_mem')")], preflight=own)
    stopped_at_the_gate(bench, gated)
    assert run(bench, gated, "--lock-timeout", "3s")[0] == 0
    assert gated.trace() == ["one", "7MB"]


AUDIT = (
    "CREATE TABLE audit (tag text)",
    "CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS"
    " $$BEGIN INSERT INTO public.audit VALUES (tg_tag); END$$",
    "CREATE EVENT TRIGGER noted ON ddl_command_end EXECUTE FUNCTION noted()",
)


def test_an_audit_of_all_ddl_is_no_change_of_preflight(bench: Bench, gated: Database) -> None:
    """An event trigger that writes a log for each DDL does so for a temporary table too."""
    for sql in AUDIT:
        gated.execute(sql)
    bench.runbook([note("one")], preflight="CREATE TEMP TABLE p AS SELECT 1 AS one;")
    assert run(bench, gated)[0] == 0
    assert gated.trace() == ["one"]
    assert gated.one("SELECT count(*) FROM audit WHERE tag = 'CREATE TABLE AS'") == 1


def test_an_audit_hides_no_change_of_preflight(bench: Bench, gated: Database) -> None:
    for sql in (*AUDIT, "CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'DELETE FROM gate; SELECT 1'"):
        gated.execute(sql)
    bench.runbook([note("one")], preflight="CREATE TEMP TABLE p AS SELECT more();")
    status, _, err = run(bench, gated)
    assert (status, "it touched public.gate" in err) == (1, True), err
    assert gated.trace() == []


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


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_between_two_statements_of_a_step(bench: Bench, gated: Database, how: signal.Signals) -> None:
    bench.runbook([f"{note('one')}\n{SLOW}\n{note('two')}"])
    process = bench.start("run", "sample", "--yes", "--dsn", gated.dsn)
    wait_until(lambda: gated.running("pg_sleep") or process.poll() is not None, "the slow statement runs")
    os.kill(process.pid, how)
    _, err = process.communicate(timeout=LIMIT)
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
