"""``run --sql``: what it prints does in another client what the run does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psycopg
import pytest

from pgrehearse.servers.binaries import client
from support import ROOT
from support.bench import Bench
from support.databases import Database

TABLES = """
CREATE TABLE item (id int PRIMARY KEY, name text, price int, maker int);
CREATE TABLE maker (id int PRIMARY KEY);
CREATE INDEX item_maker ON item (maker);
INSERT INTO maker VALUES (1);
INSERT INTO item SELECT n, 'n' || n, n, 1 FROM generate_series(1, 50) AS n;
"""
RUNBOOKS = {
    "column-add": {"table": "item", "column": "extra", "type": "int", "comment": "it's"},
    "constraint-check": {"table": "item", "constraint": "c", "condition": "price > 0", "comment": "it's"},
    "constraint-not-null": {"table": "item", "column": "name"},
    "constraint-foreign-key": {
        "table": "item",
        "columns": "maker",
        "target": "maker",
        "target_columns": "id",
        "constraint": "item_maker_fk",
        "comment": "x",
    },
    "index-create": {"table": "item", "index": "item_name", "columns": "name, price", "comment": "x"},
    "constraint-unique": {
        "table": "item",
        "columns": "name",
        "constraint": "item_name_key",
        "comment": "x",
    },
}


def by_psql(database: Database, text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "script.sql"
    file.write_text(text, "utf-8")
    command = [str(client("psql")), "-X", "-v", "ON_ERROR_STOP=1", "-d", database.dsn, "-f", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def call(name: str, database: Database, *more: str) -> list[str]:
    path = str(ROOT / "runbooks" / f"{name}.md")
    settings = [f"--set={key}={value}" for key, value in RUNBOOKS[name].items()]
    return ["run", path, "--dsn", database.dsn, *settings, *more]


@pytest.mark.parametrize("name", RUNBOOKS)
def test_what_is_printed_does_what_the_run_does(
    bench: Bench, staging: Database, tmp_path: Path, name: str
) -> None:
    staging.execute(TABLES)
    printed = bench.call(*call(name, staging, "--sql"))
    assert printed.status == 0, printed.said
    assert "\\gexec" not in printed.out
    assert ":'" not in printed.out
    verify = call(name, staging, "--phase", "verify", "--yes", "--log", "run.jsonl")
    assert bench.call(*verify).status == 1, "nothing was changed by printing it"
    done = by_psql(staging, printed.out, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    ended = bench.call(*verify)
    assert ended.status == 0, ended.said
    again = by_psql(staging, printed.out, tmp_path) if "CONCURRENTLY" not in printed.out else done
    assert "syntax error" not in again.stderr


@pytest.mark.parametrize("limit", ["statement_timeout", "transaction_timeout", "idle_session_timeout"])
@pytest.mark.parametrize("more", [[], ["--dry-run"]], ids=["connected", "without a database"])
def test_a_limit_of_the_role_ends_no_step(
    bench: Bench, staging: Database, tmp_path: Path, more: list[str], limit: str
) -> None:
    """It would end a concurrent build, and leave an INVALID index: it is lifted first, as in a run."""
    if not staging.one(f"SELECT count(*) FROM pg_settings WHERE name = '{limit}'"):
        pytest.skip("a limit that this server does not know")
    bench.runbook([f"INSERT INTO trace (note) SELECT current_setting('{limit}');"])
    staging.execute(f"ALTER DATABASE {staging.name} SET {limit} = 54321")
    printed = bench.call("run", "sample", "--sql", "--dsn", staging.dsn, *more)
    assert printed.status == 0, printed.said
    done = by_psql(staging, printed.out, tmp_path)
    assert done.returncode == 0, done.stderr
    assert staging.one("SELECT note FROM trace") == "0"


def test_a_check_that_refuses_ends_the_script(bench: Bench, staging: Database, tmp_path: Path) -> None:
    staging.execute(TABLES)
    printed = bench.call(*call("index-create", staging, "--sql"))
    staging.execute("ALTER TABLE item RENAME COLUMN name TO other")
    done = by_psql(staging, printed.out, tmp_path)
    assert done.returncode == 3
    assert "stop: the table has no column name" in done.stderr
    assert staging.one("SELECT to_regclass('item_name')") is None


def test_a_script_with_checks_says_that_it_ends_at_an_error(bench: Bench, staging: Database) -> None:
    """Somebody piped it into psql, which went on after a refusal."""
    staging.execute(TABLES)
    whole = bench.call(*call("constraint-not-null", staging, "--sql"))
    assert "ON_ERROR_STOP" in whole.out.splitlines()[2], whole.err
    apply = bench.call(*call("constraint-not-null", staging, "--sql", "--phase", "apply"))
    assert apply.status == 0 and "ON_ERROR_STOP" not in apply.out


def test_without_a_database_queries_are_asked_when_they_are_due(
    bench: Bench, staging: Database, tmp_path: Path
) -> None:
    staging.execute(TABLES)
    text = bench.call(*call("constraint-check", staging, "--sql", "--dry-run"))
    assert text.status == 0, text.said
    assert "ALTER TABLE item ADD CONSTRAINT" not in text.out, "nobody was asked"
    done = by_psql(staging, text.out, tmp_path)
    assert done.returncode == 0, done.stderr
    assert staging.one("SELECT convalidated FROM pg_constraint WHERE conname = 'c'")


def test_several_columns_nulls_and_quotes_are_sent_as_psql_does(
    bench: Bench, staging: Database, tmp_path: Path
) -> None:
    values = "FROM (VALUES (2, 'b$pgrehearse$'), (1, 'a''\\')) AS v (statement, said), later"
    note = "format('INSERT INTO trace (note) VALUES (%L)', said)"
    cells = [
        "CREATE TABLE later (n int);",
        f"SELECT {note}, NULL {values}\n\\gexec",
        "INSERT INTO later VALUES (0);",
        f"SELECT {note}, NULL, {note.replace('said', 'statement')} {values} ORDER BY statement\n\\gexec",
    ]
    bench.runbook(cells)
    printed = bench.call("run", "sample", "--sql", "--dsn", staging.dsn)
    assert printed.status == 0, printed.said
    done = by_psql(staging, printed.out, tmp_path)
    assert done.returncode == 0, done.stderr + printed.out
    assert staging.trace() == ["a'\\", "1", "b$pgrehearse$", "2"]


def test_what_a_step_makes_for_the_session_is_there_for_later_queries(
    bench: Bench, staging: Database
) -> None:
    cells = [
        "CREATE FUNCTION pg_temp.made() RETURNS text RETURN 'DROP TABLE IF EXISTS nothing';",
        "SELECT 'CREATE TEMPORARY TABLE probe (n int)'\n\\gexec",
        "SELECT pg_temp.made() WHERE to_regclass('pg_temp.probe') IS NOT NULL\n\\gexec",
    ]
    bench.runbook(cells)
    printed = bench.call("run", "sample", "--sql", "--dsn", staging.dsn)
    assert "\nDROP TABLE IF EXISTS nothing;\n" in printed.out


def test_python_has_no_sql_form(bench: Bench, staging: Database) -> None:
    bench.runbook(["```python\nprint(1)\n```\n\n```text\n1\n```"])
    ended = bench.call("run", "sample", "--sql", "--dsn", staging.dsn)
    assert (ended.status, "a step in Python has no SQL form" in ended.err) == (65, True), ended.said


def test_every_statement_can_be_sent_by_itself(bench: Bench, staging: Database) -> None:
    """As DBeaver does, one message each, in autocommit mode."""
    from pgrehearse.text.split import split

    staging.execute(TABLES)
    printed = bench.call(*call("index-create", staging, "--sql"))
    with psycopg.connect(staging.dsn, autocommit=True) as connection:
        for statement in split(printed.out):
            connection.execute(statement.sql.encode())
    assert staging.one("SELECT indisvalid FROM pg_index WHERE indexrelid = 'item_name'::regclass")


def test_functions_of_the_session_stand_there_once(bench: Bench, staging: Database) -> None:
    """A setting does not: what stands between may set it again."""
    staging.execute(TABLES)
    ended = bench.call(*call("constraint-not-null", staging, "--sql"))
    assert ended.status == 0, ended.err
    assert ended.out.count("FUNCTION pg_temp.keep_receipt(") == 1
    assert ended.out.count("-- As above: this session has it.") == 2
    bench.runbook(["SET lock_timeout = '1s';", "SET lock_timeout = '2s';", "SET lock_timeout = '1s';"])
    ended = bench.call("run", "sample", "--sql", "--phase", "apply", "--dsn", staging.dsn)
    assert ended.out.count("SET lock_timeout = '1s';") == 2, ended.err
