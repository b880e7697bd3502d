"""The seed is read and run in one way, whoever asks for its rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgrehearse.errors import DocumentError, ExpectationError
from pgrehearse.execution.databases import Databases
from pgrehearse.execution.seeds import load, load_where_empty
from pgrehearse.servers import Server
from pgrehearse.text.front_matter import Database
from support.projects import project_at, write

TABLES = """
CREATE TABLE a (n int GENERATED ALWAYS AS IDENTITY, label text CHECK (label <> 'bad'));
CREATE TABLE b (n int);
"""
SEED = "INSERT INTO a (label) SELECT 'x' FROM generate_series(1, :'rows'::int);\n"


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database, autocommit=True) as made:
        made.execute(TABLES)
        yield made


def seed(folder: Path, text: str) -> Path:
    return write(folder, "seed.sql", text)


def count(connection: psycopg.Connection[Any], table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_rows_are_what_was_asked_for(connection: psycopg.Connection[Any], tmp_path: Path) -> None:
    load(connection, seed(tmp_path, SEED), 7)
    assert count(connection, "a") == 7


def test_what_gexec_generates_is_run(connection: psycopg.Connection[Any], tmp_path: Path) -> None:
    """Left out, a table would stay empty and every check after it would pass."""
    text = "SELECT format('INSERT INTO b VALUES (%s)', n) FROM generate_series(1, 3) AS n \\gexec\n"
    load(connection, seed(tmp_path, text), 1)
    assert count(connection, "b") == 3


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("SELECT 1;\n\nSELECT\n  nope;\n", 4, 'column "nope" does not exist'),
        (
            "SELECT 1;\nINSERT INTO a (label) VALUES ('bad');",
            2,
            r"\(23514\); Failing row contains \(1, bad\)",
        ),
        ("SELECT 1/0 \\gexec\n", 1, "division by zero"),
        ("SELECT 1;\nSELECT\n\n\n  'SELECT 1 + 2 + nope' \\gexec\n", 2, 'column "nope" does not exist'),
        ("SELECT 1;\n\\d\n", 2, "psql command"),
        ("COPY a FROM stdin;\n", 1, "COPY through the client"),
        ("SELECT :'other';\n", None, "the seed has a variable 'other'"),
    ],
)
def test_what_is_wrong_has_its_line(
    connection: psycopg.Connection[Any], tmp_path: Path, text: str, line: int | None, message: str
) -> None:
    with pytest.raises(DocumentError, match=message) as caught:
        load(connection, seed(tmp_path, text), 1, shown="db/seed.sql")
    assert (str(caught.value.path), caught.value.line) == ("db/seed.sql", line)


def test_a_variable_nobody_knows_is_the_authors(server: Server, tmp_path: Path) -> None:
    """It was a crash where a document wanted the database."""
    write(tmp_path, "db/migrations/1_a.sql", "-- migrate:up\nCREATE TABLE a (n int);")
    write(tmp_path, "db/seed.sql", "SELECT :'other';")
    databases = Databases(server, project_at(tmp_path))
    try:
        with pytest.raises(DocumentError, match="the seed has a variable 'other'"):
            databases.fresh(Database(rows=1), "x")
    finally:
        databases.close()


def test_only_empty_tables_are_filled(connection: psycopg.Connection[Any], tmp_path: Path) -> None:
    file = seed(tmp_path, SEED)
    assert load_where_empty(connection, file, 2)
    assert not load_where_empty(connection, file, 2)
    assert count(connection, "a") == 2
    connection.execute("TRUNCATE a")
    assert load_where_empty(connection, file, 1)
    assert connection.execute("SELECT n FROM a").fetchall() == [(1,)], "the sequence begins anew"


def test_a_check_that_a_row_breaks_is_no_mistake_of_the_file(
    connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    with pytest.raises(ExpectationError, match="the seed failed"):
        load_where_empty(connection, seed(tmp_path, "INSERT INTO a (label) VALUES ('bad');"), 1)
