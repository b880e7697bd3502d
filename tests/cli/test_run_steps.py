"""How ``pgrehearse run`` carries out steps: asks, runs, checks, tries again, stops at the first surprise."""

from __future__ import annotations

import re
from types import SimpleNamespace

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgrehearse.execution import backoff
from support.bench import Bench
from support.databases import Database


def note(text: str) -> str:
    return f"INSERT INTO trace (note) VALUES ('{text}');"


class Pauses:
    """Takes the place of the pauses between attempts: what happens in each, and how long it would be."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds: list[float] = []
        self.then = lambda: None
        self.after = 0
        monkeypatch.setattr(backoff, "time", SimpleNamespace(sleep=self.sleep))

    def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if len(self.seconds) == self.after:
            self.then()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Pauses:
    return Pauses(monkeypatch)


def test_every_step_that_changes_something_is_shown_and_asked_for(bench: Bench, staging: Database) -> None:
    bench.runbook([note("one"), note("two")])
    ended = bench.call("run", "sample", "--dsn", staging.dsn, answers="y\ny\n")
    assert ended.status == 0, ended.err
    assert ended.out.count("run this step? [y/N]") == 2
    assert "Apply 2/2: Step  (sample.md:" in ended.out
    assert "    INSERT 0 1\n" in ended.out
    assert staging.trace() == ["one", "two"]


def test_no_stops_before_the_step(bench: Bench, staging: Database) -> None:
    bench.runbook([note("one"), note("two")])
    ended = bench.call("run", "sample", "--dsn", staging.dsn, answers="y\nn\n")
    assert ended.status == 1
    assert "stopped before this step; run again to go on from here" in ended.out
    assert staging.trace() == ["one"]
    assert bench.logs()[0][-1]["event"] == "stopped"


#: What a runbook's functions of the session look like, and a check that is longer than a glance.
OF_THE_SESSION = (
    "CREATE FUNCTION pg_temp.one() RETURNS int\nLANGUAGE sql\nIMMUTABLE\nAS $body$\nSELECT 1\n$body$;"
)
CHECK = (
    "```sql\nSELECT CASE\n    WHEN false\n    THEN 'stop: this'\n    WHEN false THEN 'stop: that'\n"
    "    ELSE 'ok'\nEND AS preflight;\n```\n\n```text\n preflight\n-----------\n ok\n(1 row)\n```"
)


def test_checks_and_what_ends_with_the_session_are_not_asked_for(bench: Bench, staging: Database) -> None:
    """They are READ ONLY, and gone with the session: nothing is there to be careful with."""
    bench.runbook([OF_THE_SESSION, note("one")], preflight=CHECK)
    ended = bench.call("run", "sample", "--dsn", staging.dsn, answers="y\n")
    assert ended.status == 0, ended.err
    assert ended.out.count("run this step? [y/N]") == 1
    assert "CASE" not in ended.out and "FUNCTION" not in ended.out
    assert re.search(r"^Preflight 1/1  \(sample.md:\d+\)\n    ok\n", ended.out, re.M)
    assert staging.trace() == ["one"]


def test_their_sql_is_shown_when_all_is_asked_for(bench: Bench, staging: Database) -> None:
    bench.runbook([OF_THE_SESSION, note("one")], preflight=CHECK)
    ended = bench.call("run", "sample", "-v", "--yes", "--dsn", staging.dsn)
    assert ended.status == 0, ended.err
    assert "    SELECT CASE\n" in ended.out
    assert "    CREATE FUNCTION pg_temp.one() RETURNS int\n" in ended.out


def test_a_function_that_returns_nothing_prints_nothing(bench: Bench, staging: Database) -> None:
    bench.runbook(
        ["SELECT pg_sleep(0);\nINSERT INTO trace (note) VALUES ('one');\nSELECT NULL AS nothing, 1 AS n;"]
    )
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn)
    assert "pg_sleep\n" not in ended.out
    assert "    INSERT 0 1\n" in ended.out
    assert "(null)" in ended.out


def test_a_check_that_refuses_stops_before_anybody_is_asked(bench: Bench, staging: Database) -> None:
    bench.runbook([note("one")], preflight=CHECK.replace("WHEN false", "WHEN true", 1))
    ended = bench.call("run", "sample", "--dsn", staging.dsn, answers="y\ny\ny\n")
    assert ended.status == 1
    assert "refused: this" in ended.err
    assert "run this step?" not in ended.out
    assert staging.trace() == []


@pytest.mark.parametrize(
    "step",
    [
        f"SET lock_timeout = '2s';\n{note('one')}",
        "CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';",
        "SELECT nextval('trace_id_seq') > 0 AS moved;",
    ],
)
def test_what_outlives_the_session_is_asked_for(bench: Bench, staging: Database, step: str) -> None:
    staging.execute("CREATE SEQUENCE IF NOT EXISTS trace_id_seq")
    bench.runbook([step])
    ended = bench.call("run", "sample", "--dsn", staging.dsn, answers="n\n")
    assert ended.status == 1
    assert ended.out.count("run this step? [y/N]") == 1
    assert staging.trace() == []


def test_a_check_in_python_is_asked_for(bench: Bench, staging: Database) -> None:
    """It may do anything: that its connections are READ ONLY says little."""
    bench.runbook([note("one")], preflight="```python\nprint('hello')\n```\n\n```text\nhello\n```")
    ended = bench.call("run", "sample", "--dsn", staging.dsn, answers="n\n")
    assert ended.status == 1
    assert "print('hello')" in ended.out
    assert ended.out.count("run this step? [y/N]") == 1


def test_no_answer_to_be_had_is_said(bench: Bench, staging: Database) -> None:
    bench.runbook([note("one")])
    ended = bench.call("run", "sample", "--dsn", staging.dsn, answers="")
    assert ended.status == 69
    assert "nobody answers" in ended.err
    assert "--yes" in ended.err
    assert staging.trace() == []


def test_stops_at_the_first_surprise(bench: Bench, staging: Database) -> None:
    wrong = "```sql\nSELECT 1 AS a;\n```\n\n```text\n a\n---\n 2\n(1 row)\n```"
    text = bench.runbook([note("one"), wrong, note("three")])
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn)
    assert ended.status == 1
    assert f"sample.md:{bench.line(text, '```text')}: Apply 2/3: Step: the output differs" in ended.err
    assert "- 2" in ended.err
    assert "+ 1" in ended.err
    assert "next: look at the database, then run again" in ended.err
    assert staging.trace() == ["one"]


def test_an_error_names_the_line_of_the_statement(bench: Bench, staging: Database) -> None:
    text = bench.runbook([f"{note('one')}\n\nSELECT 1 / 0;\n{note('never')}"])
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn)
    assert ended.status == 1
    line = bench.line(text, "SELECT 1 / 0")
    assert f"sample.md:{line}: Apply 1/1: Step: it raised SQLSTATE 22012" in ended.err
    assert "ERROR:  division by zero" in ended.err
    assert staging.trace() == ["one"]


def test_an_expected_error_is_no_surprise(bench: Bench, staging: Database) -> None:
    bench.runbook(['```sql expect="22012"\nSELECT 1 / 0;\n```', note("two")])
    assert bench.call("run", "sample", "--yes", "--dsn", staging.dsn).status == 0
    assert staging.trace() == ["two"]
    text = bench.runbook(['```sql expect="22012"\nSELECT 1;\n```'])
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn)
    assert ended.status == 1
    line = bench.line(text, "SELECT 1;")
    assert f"sample.md:{line}: Apply 1/1: Step: nothing was raised; SQLSTATE 22012" in ended.err


def test_a_failed_preflight_says_that_nothing_was_changed(bench: Bench, staging: Database) -> None:
    bench.runbook([note("one")], preflight="SELECT 1 / 0;")
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn)
    assert ended.status == 1
    assert "next: nothing was changed; resolve what the check names" in ended.err
    assert staging.trace() == []


def test_a_lock_that_is_not_to_be_had_is_tried_again(bench: Bench, staging: Database, pauses: Pauses) -> None:
    bench.runbook(["ALTER TABLE trace ADD COLUMN extra int;", note("two")])
    with psycopg.connect(staging.dsn) as holder:
        holder.execute("LOCK TABLE trace IN ACCESS SHARE MODE")
        pauses.then, pauses.after = holder.rollback, 2
        ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn, "--lock-timeout", "50ms")
    assert ended.status == 0, ended.err
    assert pauses.seconds == [0.5, 1.0]
    assert "no lock within lock_timeout; attempt 2 in 0.5 s" in ended.out
    steps = [event for event in bench.logs()[0] if event["event"] == "step"]
    assert [event["attempts"] for event in steps] == [1, 3, 1, 1]
    assert staging.trace() == ["two"]


def test_attempts_end(bench: Bench, staging: Database, pauses: Pauses) -> None:
    text = bench.runbook(["ALTER TABLE trace ADD COLUMN extra int;"])
    call = ("run", "sample", "--yes", "--dsn", staging.dsn, "--lock-timeout", "50ms", "--attempts", "3")
    with psycopg.connect(staging.dsn) as holder:
        holder.execute("LOCK TABLE trace IN ACCESS SHARE MODE")
        ended = bench.call(*call)
    assert ended.status == 1
    assert len(pauses.seconds) == 2
    line = bench.line(text, "ALTER TABLE")
    assert f"sample.md:{line}: Apply 1/1: Step: it raised SQLSTATE 55P03" in ended.err
    assert "run again when that has ended: done steps are not repeated" in ended.err
    assert bench.logs()[0][-2]["sqlstate"] == "55P03"
    assert bench.call(*call).status == 0


def test_a_transaction_inside_one_step_is_rolled_back_before_the_next_attempt(
    bench: Bench, staging: Database, pauses: Pauses
) -> None:
    bench.runbook([f"BEGIN;\n{note('once')}\nALTER TABLE other ADD COLUMN extra int;\nCOMMIT;"])
    staging.execute("CREATE TABLE other ()")
    with psycopg.connect(staging.dsn) as holder:
        holder.execute("LOCK TABLE other IN ACCESS SHARE MODE")
        pauses.then, pauses.after = holder.rollback, 1
        ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn, "--lock-timeout", "50ms")
    assert ended.status == 0, ended.err
    assert staging.trace() == ["once"]


def test_a_step_inside_the_transaction_of_an_earlier_one_is_not_tried_again(
    bench: Bench, staging: Database, pauses: Pauses
) -> None:
    """A rollback would undo the earlier step, and the second attempt would run outside any transaction."""
    bench.runbook(["BEGIN;", note("first"), "ALTER TABLE other ADD COLUMN extra int;", "COMMIT;"])
    staging.execute("CREATE TABLE other ()")
    call = ("run", "sample", "--yes", "--dsn", staging.dsn, "--lock-timeout", "50ms")
    with psycopg.connect(staging.dsn) as holder:
        holder.execute("LOCK TABLE other IN ACCESS SHARE MODE")
        ended = bench.call(*call)
    assert ended.status == 1
    assert pauses.seconds == []
    assert staging.trace() == []
    again = bench.call(*call)
    assert again.status == 0, again.err
    assert "done in the earlier run" not in again.out
    assert staging.trace() == ["first"]


def test_a_concurrent_build_is_not_tried_again(bench: Bench, staging: Database, pauses: Pauses) -> None:
    bench.runbook(["CREATE INDEX CONCURRENTLY trace_note ON trace (note);"])
    with psycopg.connect(staging.dsn) as holder:
        holder.execute("INSERT INTO trace (note) VALUES ('open')")
        ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn, "--lock-timeout", "50ms")
    assert ended.status == 1
    assert pauses.seconds == []
    assert "it raised SQLSTATE 55P03" in ended.err
    assert "next: an INVALID index may be left; run again from the top with --from-top" in ended.err
    invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid AND indexrelid = 'trace_note'::regclass"
    assert staging.execute(invalid) == [(1,)]


def test_a_transaction_left_open_at_the_end_is_no_success(bench: Bench, staging: Database) -> None:
    bench.runbook([f"BEGIN;\n{note('lost')}"])
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn)
    assert ended.status == 1
    assert "left its transaction open" in ended.err
    assert bench.logs()[0][-1]["event"] == "stopped"
    assert staging.trace() == []


def test_the_log_holds_neither_password_nor_rows(bench: Bench, staging: Database) -> None:
    bench.runbook(["SELECT 'row-' || 'content' AS a;", note("one")])
    dsn = make_conninfo(staging.dsn, **{"password": "hush-hush"})
    ended = bench.call("run", "sample", "--yes", "--dsn", dsn, "--log", "log.jsonl")
    assert ended.status == 0, ended.err
    assert "row-content" in ended.out
    log = (bench.root / "log.jsonl").read_text("utf-8")
    assert "row-content" not in log
    assert "hush-hush" not in log + ended.out + ended.err
    assert bench.logs() == []


def test_events_of_a_log(bench: Bench, staging: Database) -> None:
    text = bench.runbook([note("one")])
    assert bench.call("run", "sample", "--yes", "--dsn", staging.dsn).status == 0
    (events,) = bench.logs()
    assert [event["event"] for event in events] == ["start", *["begin", "statement", "step"] * 3, "done"]
    assert events[0]["environment"] == "staging"
    assert events[6]["phase"] == "Apply"
    assert events[6]["line"] == bench.line(text, "INSERT") - 1
    assert events[6]["status"] == "passed"


def test_python_steps_stop_the_run_with_their_line(bench: Bench, staging: Database) -> None:
    text = bench.runbook(["```python\nvalue = 1\n\nraise ValueError(value)\n```", note("two")])
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn)
    assert ended.status == 1
    assert f"sample.md:{bench.line(text, 'raise')}: Apply 1/2: Step: ValueError: 1" in ended.err
    assert staging.trace() == []


@pytest.mark.parametrize("phase", ["preflight", "verify"])
def test_a_check_whose_session_was_ended_is_no_refusal(bench: Bench, staging: Database, phase: str) -> None:
    bench.runbook([note("one")], **{phase: "SELECT pg_terminate_backend(pg_backend_pid());"})
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn)
    assert ended.status == 1, ended.said
    assert "next: look at the server's log: " in ended.err
    assert "run again, a check changes nothing" in ended.err
    assert "refused" not in ended.err


def test_an_error_stands_on_a_line_of_its_own(bench: Bench, staging: Database) -> None:
    """A question that nobody answers does not end its line."""
    bench.runbook([note("one")])
    ended = bench.call("run", "sample", "--dsn", staging.dsn, answers="")
    assert ended.status == 69, ended.said
    assert ended.out.endswith("run this step? [y/N]: \n")
