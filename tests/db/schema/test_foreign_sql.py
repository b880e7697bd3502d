"""Files of statements carried out: many in one message, and still each refused on its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgrehearse.execution.databases import Databases
from pgrehearse.schema import foreign_sql
from pgrehearse.servers import Server
from pgrehearse.text import script
from pgrehearse.text.front_matter import Database
from pgrehearse.text.project import Project


@pytest.fixture
def connection(server: Server, tmp_path: Path) -> Iterator[psycopg.Connection[Any]]:
    (tmp_path / "pyproject.toml").write_text("")
    databases = Databases(server, Project.at(tmp_path))
    name = databases.fresh(Database(empty=True), "foreign")
    with psycopg.connect(server.dsn(name), autocommit=True) as made:
        yield made
    databases.close()


def refused(connection: psycopg.Connection[Any], text: str) -> list[tuple[int, str]]:
    return [(one.line, one.sqlstate) for one in foreign_sql.load(connection, script.statements(text))]


def there(connection: psycopg.Connection[Any]) -> set[str]:
    query = (
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')"
    )
    return {name for (name,) in connection.execute(query).fetchall()}


def test_what_is_refused_takes_nothing_with_it(connection: psycopg.Connection[Any]) -> None:
    text = """CREATE TABLE a (n int); -- why; not
COMMENT ON TABLE a IS 'x; y';
COMMENT ON TABLE nowhere IS 'x';
CREATE TABLE b (n int);
ALTER TABLE b ADD COLUMN n int;
CREATE TABLE c (n int)"""
    assert refused(connection, text) == [(3, "42P01"), (5, "42701")]
    assert there(connection) == {"a", "b", "c"}


@pytest.mark.parametrize(
    "between",
    [
        "CREATE INDEX CONCURRENTLY i ON a (n)",
        "ALTER TYPE mood ADD VALUE 'b'; CREATE TABLE uses (m mood DEFAULT 'b')",
        "SET LOCAL search_path = nowhere",
        "BEGIN; CREATE TABLE d (n int); COMMIT",
        "INSERT INTO a VALUES (1)",
        "VACUUM a",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END",
    ],
)
def test_each_means_what_it_means_alone(connection: psycopg.Connection[Any], between: str) -> None:
    text = f"CREATE TYPE mood AS ENUM ('a'); CREATE TABLE a (n int); {between}; CREATE TABLE b (n int);"
    assert refused(connection, text) == []
    assert {"a", "b"} <= there(connection)


def test_a_transaction_of_the_file_keeps_its_own_error(connection: psycopg.Connection[Any]) -> None:
    text = "BEGIN;\nCREATE TABLE a (n int);\nCREATE TABLE a (n int);\nCREATE TABLE b (n int);\nROLLBACK;"
    assert refused(connection, text) == [(3, "42P07"), (4, "25P02")]
    assert there(connection) == set()


def test_more_than_one_message(connection: psycopg.Connection[Any]) -> None:
    """What is left of one is sent with the next; the refused one stands in the last."""
    text = "".join(f"CREATE TABLE t{n} (n int);\n" for n in range(450)) + "CREATE TABLE t0 (n int);"
    assert refused(connection, text) == [(451, "42P07")]
    assert len(there(connection)) == 450
