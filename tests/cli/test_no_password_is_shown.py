"""Passwords of statements and arguments reach no output, log, record or ledger."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.bench import Bench
from support.databases import Database

SECRET = "hunter2x"  # noqa: S105
FAILS = [
    f"ALTER ROLE nobody_here PASSWORD $${SECRET}$$;",
    f"ALTER ROLE nobody_here PASSWORD U&'{SECRET}' nonsense;",
    f"DO $$ BEGIN EXECUTE format('ALTER ROLE nobody_here PASSWORD %L', '{SECRET}'); END $$;",
    f"COMMENT ON TABLE nobody_here IS 'password: {SECRET}'; -- password: {SECRET}",
    f"SELECT no_such_function(md5('{SECRET}'), 'Authorization: Bearer {SECRET}');",
]


def kept_files(root: Path) -> str:
    kept = [file for file in root.rglob("*") if file.is_file() and file.suffix not in (".sql", ".md")]
    return "".join(file.read_text("utf-8", errors="replace") for file in kept)


@pytest.mark.parametrize("sql", FAILS)
@pytest.mark.parametrize("transaction", ["", " transaction:false"])
def test_a_migration_that_fails(bench: Bench, plain: Database, sql: str, transaction: str) -> None:
    text = f"-- migrate:up{transaction}\n{sql}\n-- migrate:down\nSELECT 1;\n"
    bench.write("db/migrations/1_a.sql", text)
    plain.mark("test")
    ended = bench.call("db", "up", "--dsn", plain.dsn)
    assert ended.status != 0
    tables = ("attempt", "statement")
    ledger = [plain.one(f"SELECT string_agg(t::text, ' ') FROM pgrehearse.{name} AS t") for name in tables]
    assert SECRET not in f"{ended.out}{ended.err}{kept_files(bench.root)}{ledger}"


@pytest.mark.parametrize("sql", FAILS)
def test_a_runbook_that_fails(bench: Bench, plain: Database, sql: str) -> None:
    parameters = f"  secret: {{description: x, example: {SECRET}, default: {SECRET}}}\n"
    bench.runbook([sql.replace(f"'{SECRET}'", ":'secret'")], parameters=parameters)
    plain.mark("test")
    ended = bench.call("run", "runbooks/sample.md", "--dsn", plain.dsn, "--yes")
    assert ended.status == 1
    assert SECRET not in ended.out + ended.err + kept_files(bench.root)


@pytest.mark.parametrize("sql", FAILS)
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_an_x_ray(bench: Bench, sql: str, more: tuple[str, ...]) -> None:
    bench.write("schema.sql", "CREATE TABLE t (n int);\n")
    bench.write("change.sql", sql + "\n")
    ended = bench.call("xray", "change.sql", "--schema", "schema.sql", *more)
    assert SECRET not in ended.out + ended.err


def test_an_argument_that_nobody_asked_for(bench: Bench) -> None:
    for words in (("postgresql://u:hun@hunter2x@h/d",), ("--bad=host=h password=hunter2x",)):
        ended = bench.call("xray", "a.sql", *words)
        assert (ended.status, SECRET in ended.out + ended.err) == (2, False)


def test_no_child_process_is_told_on_its_command_line(
    bench: Bench, plain: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = subprocess.Popen.__init__

    def spying(self: Any, arguments: Any, *rest: Any, **named: Any) -> None:
        seen.append(repr(arguments))
        real(self, arguments, *rest, **named)

    monkeypatch.setattr(subprocess.Popen, "__init__", spying)
    bench.write("change.sql", "SELECT 1;\n")
    dsn = f"{plain.dsn} password={SECRET} sslpassword={SECRET}"
    ended = bench.call("xray", "change.sql", "--dsn", dsn)
    assert ended.status == 0, ended.err
    assert any("pg_dump" in one for one in seen)
    assert SECRET not in "".join(seen) + ended.out + ended.err
