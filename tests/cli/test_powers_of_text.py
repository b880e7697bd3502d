"""What databases and files say has no power over the terminal; files that hide text are refused."""

from __future__ import annotations

import pytest

from pgrehearse.text import characters
from support.bench import Bench
from support.databases import Database

SENT = "U&'\\001b]52;c;eA==\\0007 \\000dok \\202e x'"


def shown(text: str) -> bool:
    """Whether everything can be read as it stands."""
    return characters.visible(text) == text


def test_errors_of_a_server_are_spelled(bench: Bench, plain: Database) -> None:
    code = f"DO $$ BEGIN RAISE NOTICE '%', {SENT}; RAISE EXCEPTION '%', {SENT}; END $$;\n"
    bench.write("db/migrations/1_a.sql", f"-- migrate:up\n{code}-- migrate:down\nSELECT 1;\n")
    plain.mark("test")
    ended = bench.call("db", "up", "--dsn", plain.dsn)
    assert ended.status == 1
    assert shown(ended.out + ended.err)
    assert "\\x1B]52;c;eA==\\x07 \\x0Dok \\u202E x" in ended.out + ended.err


def test_names_and_rows_are_spelled(bench: Bench) -> None:
    name = 'U&"\\001b[2K\\000dgone"'
    bench.write("schema.sql", f"CREATE TABLE {name} (n int);\n")
    bench.write("change.sql", f"ALTER TABLE {name} ADD m int;\nALTER TABLE {name} ADD m int;\n")
    ended = bench.call("xray", "change.sql", "--schema", "schema.sql")
    assert ended.status == 65
    assert shown(ended.out + ended.err)
    assert "\\x1B[2K\\x0Dgone" in ended.out


@pytest.mark.parametrize("command", ["test", "lint", "run"])
@pytest.mark.parametrize("bad", ["\0", "\r", "\u202e"])
def test_a_document_that_hides_text_is_refused(bench: Bench, plain: Database, command: str, bad: str) -> None:
    bench.runbook([f"SELECT 1; --{bad}DROP TABLE trace;"])
    plain.mark("test")
    more = ["--dsn", plain.dsn, "--yes"] if command == "run" else []
    ended = bench.call(command, "runbooks/sample.md", *more)
    assert ended.status != 0
    assert characters.first(bad).name in ended.out + ended.err  # type: ignore[union-attr]
    assert "runbooks/sample.md:" in ended.out + ended.err
