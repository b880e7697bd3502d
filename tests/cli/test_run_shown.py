"""What a run shows is what it sends, seen from the server; the limit that the operator gives counts."""

from __future__ import annotations

import re

import pytest

from pgrehearse.servers import Server
from support.bench import Bench
from support.databases import Database

PARAMETERS = '  label: {description: Label, example: x, default: "it\'s"}\n'
CELLS = [
    "SET lock_timeout = '2s';\nSET LOCAL lock_timeout TO '3s';\nSET statement_timeout = 0;",
    "CREATE TABLE thing (id int, note text);",
    "SELECT format('CREATE INDEX CONCURRENTLY %I ON thing (%I)', 'thing_' || name, name)"
    " FROM unnest(ARRAY['id', 'note']) AS name\n\\gexec\n"
    "SELECT 'DROP TABLE thing' WHERE false\n\\gexec",
    "SELECT format('INSERT INTO thing VALUES (%s, %L)', n, :'label') FROM generate_series(1, 3) n\n\\gexec",
    "UPDATE thing SET note = :'label' || E'\\n' WHERE id = 1;\nDELETE FROM thing WHERE id = 2;",
]


def shown(out: str) -> list[str]:
    """The statements that were on the screen before each question of Apply."""
    steps = re.findall(r"^Apply [^\n]*\n((?:    [^\n]*\n)+)  run this step", out, re.M)
    return [line.strip().removesuffix(";") for step in steps for line in step.splitlines()]


def sent(server: Server, pid: int) -> list[str]:
    """The statements of a session, as the server logs them."""
    said = re.findall(
        rf"^\S+ \S+ \S+ \[{pid}\] LOG:  statement: (.*(?:\n\t.*)*)", server.log_tail(100_000), re.M
    )
    return [text.replace("\n\t", "\n") for text in said]


@pytest.mark.parametrize("limit", [[], ["--lock-timeout", "700ms"]])
def test_what_is_shown_is_what_is_sent(
    bench: Bench, staging: Database, server: Server, limit: list[str]
) -> None:
    staging.execute(f"ALTER DATABASE \"{staging.name}\" SET log_statement = 'all'")
    bench.runbook(CELLS, parameters=PARAMETERS)
    ended = bench.call("run", "sample", "--dsn", staging.dsn, *limit, answers="y\n" * 9)
    assert ended.status == 0, ended.said
    (pid,) = {event["pid"] for event in bench.logs()[0] if event["event"] == "statement"}
    own = re.compile(
        r"(CREATE|DROP|INSERT INTO thing|UPDATE thing|DELETE FROM thing|SET (LOCAL )?(lock|statement)_)"
    )
    found = [sql for sql in sent(server, pid) if own.match(sql)]
    assert found[0].startswith("SET lock_timeout"), "the session begins with it"
    assert found[1:] == shown(ended.out)
    waits = [sql for sql in shown(ended.out) if "lock_timeout" in sql]
    given = ["SET lock_timeout = '700ms'", "SET LOCAL lock_timeout = '700ms'"]
    assert waits == (given if limit else ["SET lock_timeout = '2s'", "SET LOCAL lock_timeout TO '3s'"])
    assert "CREATE INDEX CONCURRENTLY thing_note ON thing (note)" in found
    assert (
        "INSERT INTO thing VALUES ('3', 'it''s')" in found or "INSERT INTO thing VALUES (3, 'it''s')" in found
    )


def test_a_wait_without_end_stays_one(bench: Bench, staging: Database) -> None:
    noted = "INSERT INTO trace (note) SELECT current_setting('lock_timeout');"
    cells = ["SET lock_timeout = 0;\n" + noted, "SET lock_timeout = '5s';\n" + noted, "RESET lock_timeout;"]
    bench.runbook(cells)
    call = ("run", "sample", "--yes", "--dsn", staging.dsn, "--lock-timeout", "1234ms")
    ended = bench.call(*call)
    assert ended.status == 0, ended.said
    assert staging.trace() == ["0", "1234ms"]


def test_many_statements_are_shown_by_the_first_and_the_last(bench: Bench, staging: Database) -> None:
    bench.runbook(
        ["SELECT format('INSERT INTO trace (note) VALUES (%L)', n) FROM generate_series(1, 500) n\n\\gexec"]
    )
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn)
    assert ended.status == 0, ended.said
    before = ended.out[: ended.out.index("INSERT 0 1")]
    assert before.count("INSERT INTO trace") == 21
    assert "479 more like these" in before
    assert "VALUES ('500');" in before


def test_a_password_is_in_no_log_and_on_no_screen(bench: Bench, staging: Database) -> None:
    cell = (
        "SELECT format('CREATE ROLE run_shown LOGIN PASSWORD %L', :'password')\n\\gexec\n"
        "SELECT length(:'password') AS letters;\nDROP ROLE run_shown;"
    )
    bench.runbook([cell], parameters="  password: {description: Secret, example: x}\n")
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn, "--set", "password=hush-hush")
    assert ended.status == 0, ended.said
    (log,) = (bench.root / ".pgrehearse" / "runs").iterdir()
    assert "CREATE ROLE run_shown LOGIN PASSWORD '***'" in log.read_text("utf-8")
    assert "hush-hush" not in log.read_text("utf-8")
    assert "PASSWORD 'hush" not in ended.out


def test_the_log_says_what_was_sent_how_many_rows_and_what_went_wrong(
    bench: Bench, staging: Database
) -> None:
    bench.runbook(["INSERT INTO trace (note) SELECT 'x' FROM generate_series(1, 7);", "SELECT 1 / 0;"])
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn)
    assert ended.status == 1
    (events,) = bench.logs()
    statements = [event for event in events if event["event"] == "statement"]
    assert [(one["rows"], one["sqlstate"]) for one in statements] == [(1, None), (7, None), (None, "22012")]
    assert statements[1]["sql"].startswith("INSERT INTO trace")
    assert statements[2]["error"] == "ERROR:  division by zero"
    assert len({one["pid"] for one in statements}) == 1
    assert all(one["seconds"] >= 0 for one in statements)
