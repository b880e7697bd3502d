"""Databases and clients in other encodings: text is read and written as UTF-8, or one sentence refuses."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from support.bench import Bench
from support.databases import Database, execute

UP = "CREATE TABLE word (name text DEFAULT 'ä');\nCOMMENT ON TABLE word IS 'ä';"
SHOWS = "SELECT name FROM word;\n```\n\n```text\n name\n------\n {}\n(1 row)"
PYTHON = """```python
import psycopg

with psycopg.connect() as connection:
    assert connection.execute("SELECT name FROM word").fetchone() == ("ä",)
```"""
#: the encoding of the database, what the client's environment says, what the database says
PLACES = [
    ("SQL_ASCII", None, None),
    ("LATIN1", None, None),
    ("EUC_JIS_2004", None, None),
    ("UTF8", "LATIN1", None),
    ("UTF8", "SQL_ASCII", None),
    ("UTF8", "NONSENSE", None),
    ("UTF8", None, "LATIN1"),
    ("LATIN1", "SQL_ASCII", "SQL_ASCII"),
]


@pytest.fixture
def place(
    database: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Database]:
    encoding, client, default = request.param
    name = f"test_{secrets.token_hex(4)}"
    execute(
        database,
        f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'",
    )
    if default:
        execute(database, f"ALTER DATABASE {name} SET client_encoding = '{default}'")
    if client:
        monkeypatch.setenv("PGCLIENTENCODING", client)
    made = Database(f"{database} dbname={name} client_encoding=UTF8")
    made.mark("staging")
    yield Database(f"{database} dbname={name}")
    monkeypatch.delenv("PGCLIENTENCODING", raising=False)
    execute(database, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("place", PLACES, indirect=True)
def test_text_is_utf_8(bench: Bench, place: Database) -> None:
    bench.write("db/migrations/1_word.sql", f"-- migrate:up\n{UP}\n-- migrate:down\nDROP TABLE word;\n")
    bench.runbook(
        ["INSERT INTO word VALUES (DEFAULT);", PYTHON], verify=SHOWS.format("ä"), back="TRUNCATE word;"
    )
    bench.write("x.sql", "ALTER TABLE word ADD COLUMN note text DEFAULT 'ä';\n")
    for command in (
        "db status",
        "db up",
        "db status",
        "run sample --yes",
        "run sample --yes --phase roll-back",
        "xray x.sql",
        "environment show",
    ):
        ended = bench.call(*command.split(), "--dsn", place.dsn)
        assert ended.status == 0, f"{command}: {ended}"


@pytest.mark.parametrize("place", [("LATIN1", None, None)], indirect=True)
def test_what_a_database_cannot_hold_is_refused_by_it(bench: Bench, place: Database) -> None:
    bench.write("db/migrations/1_word.sql", "-- migrate:up\nSELECT 1;\nSELECT '€';\n-- migrate:down\n")
    bench.runbook(["SELECT '€';"])
    up = bench.call("db", "up", "--dsn", place.dsn)
    assert (up.status, "1_word.sql:3:" in up.err, "22P05" in up.err) == (1, True, True), up
    ran = bench.call("run", "sample", "--yes", "--dsn", place.dsn)
    assert (ran.status, "22P05" in ran.err) == (1, True), ran


@pytest.mark.parametrize("place", [("SQL_ASCII", None, None)], indirect=True)
@pytest.mark.parametrize(
    "step",
    ["TABLE raw;", "SELECT format('SELECT %L', v) FROM raw\n\\gexec", "SELECT v || '\u00e9' FROM raw;"],
)
def test_what_is_no_text_is_refused(bench: Bench, place: Database, step: str) -> None:
    place.execute("CREATE TABLE raw AS SELECT E'\\xe4'::text AS v")
    place.execute("DO $$BEGIN EXECUTE format('COMMENT ON TABLE raw IS %L', E'\\xe4'); END$$")
    bench.runbook([step])
    ran = bench.call("run", "sample", "--yes", "--dsn", place.dsn)
    assert (ran.status, "22021" in ran.err) == (1, True), ran
    bench.write("x.sql", "DROP TABLE raw;\n")
    seen = bench.call("xray", "x.sql", "--dsn", place.dsn)
    assert (seen.status, "is not text in UTF-8" in seen.err) == (69, True), seen


@pytest.mark.parametrize("place", [("SQL_ASCII", None, None)], indirect=True)
@pytest.mark.parametrize(
    ("head", "text"),
    [
        ("", "CREATE TABLE word (a int);"),
        ("", "SELECT 1;\nALTER TABLE other ADD COLUMN b int;"),
        (" transaction:false", "CREATE TABLE word (a int);\nSELECT relname FROM pg_class;"),
    ],
)
def test_a_name_that_is_no_text_is_not_the_migration_s_fault(
    bench: Bench, place: Database, head: str, text: str
) -> None:
    place.execute("CREATE TABLE other (a int)")
    place.execute("DO $$BEGIN EXECUTE format('CREATE TABLE %I AS SELECT 1 AS a', E'caf\\xe9'); END$$")
    bench.write("db/migrations/1_word.sql", f"-- migrate:up{head}\n{text}\n-- migrate:down\n")
    up = bench.call("db", "up", "--dsn", place.dsn)
    assert up.status == 1, up
    assert "1_word.sql: 1_word (up) failed here, something in the database is not text" in up.err, up
    assert "an SQL_ASCII database takes any bytes" in up.err, up


@pytest.mark.parametrize("place", [("UTF8", None, None)], indirect=True)
def test_bytes_that_a_migration_makes_are_its_own(bench: Bench, place: Database) -> None:
    text = "-- migrate:up\nSELECT 1;\nSELECT convert_from('\\xe9', 'UTF8');\n-- migrate:down\n"
    bench.write("db/migrations/1_word.sql", text)
    up = bench.call("db", "up", "--dsn", place.dsn)
    assert (up.status, "1_word.sql:3: 1_word (up) failed" in up.err, "22021" in up.err) == (1, True, True), up
