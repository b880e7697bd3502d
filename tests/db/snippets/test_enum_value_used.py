"""Whether a value of an enum is in use is asked of every place that can hold it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgrehearse.servers import Server, start
from support.majors import TEST_MAJOR

SNIPPET = (Path(__file__).parents[3] / "snippets" / "sql" / "enum-value-used.sql").read_text("utf-8")
#: A label with what quoting, LIKE and format() stumble over, quoted.
LABEL = "it''s 100% \\"
PLACES = {
    "a column": ("CREATE TABLE t (c st); INSERT INTO t VALUES ($LABEL)", "rows of t"),
    "an array": (
        "CREATE TABLE t (c st[]); INSERT INTO t VALUES (ARRAY[ARRAY['a', $LABEL]]::st[])",
        "rows of t",
    ),
    "a domain": ("CREATE DOMAIN d AS st; CREATE TABLE t (c d); INSERT INTO t VALUES ($LABEL)", "rows of t"),
    "a composite type in an array": (
        "CREATE TYPE comp AS (n int, s st); CREATE TABLE t (c comp[]);"
        "INSERT INTO t VALUES (ARRAY[ROW(1, $LABEL)::comp])",
        "rows of t",
    ),
    "a range": (
        "CREATE TYPE r AS RANGE (subtype = st); CREATE TABLE t (c r);"
        "INSERT INTO t VALUES (r('a', $LABEL, '[]'))",
        "rows of t",
    ),
    "a materialized view": ("CREATE MATERIALIZED VIEW t AS SELECT $LABEL::text::st AS c", "rows of t"),
    "a child": (
        "CREATE TABLE p (c st); CREATE TABLE t () INHERITS (p); INSERT INTO t VALUES ($LABEL)",
        "rows of t",
    ),
    "a default": ("CREATE TABLE t (c st DEFAULT $LABEL)", "default of t.c"),
    "the default of an array": ("CREATE TABLE t (c st[] DEFAULT ARRAY[$LABEL]::st[])", "default of t.c"),
    "a CHECK": ("CREATE TABLE t (c st CONSTRAINT k CHECK (c <> $LABEL))", "constraint k"),
    "a partial index": ("CREATE TABLE t (c st); CREATE INDEX i ON t (c) WHERE c = $LABEL", "index i"),
    "a view": ("CREATE TABLE t (c st); CREATE VIEW v AS SELECT FROM t WHERE c = $LABEL", "view v"),
    "a partition bound": (
        "CREATE TABLE t (c st) PARTITION BY LIST (c); CREATE TABLE t1 PARTITION OF t FOR VALUES IN ($LABEL)",
        "partition t1",
    ),
    "the default of a parameter": (
        "CREATE FUNCTION f(s st DEFAULT $LABEL) RETURNS int LANGUAGE sql RETURN 1",
        "function f(st)",
    ),
    "rows that this role may not see": (
        "CREATE TABLE t (c st);"
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY, OWNER TO ordinary",
        "row security hides rows of t",
    ),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with start(TEST_MAJOR) as running:
        with psycopg.connect(running.dsn(), autocommit=True) as admin:
            admin.execute("CREATE ROLE ordinary")
        yield running


@pytest.fixture
def session(server: Server) -> Iterator[psycopg.Connection]:
    """In a transaction that is rolled back."""
    with psycopg.connect(server.dsn()) as made:
        made.execute(f"CREATE TYPE st AS ENUM ('a', '{LABEL}', 'b')".encode())
        made.execute(SNIPPET.encode())
        yield made
        made.rollback()


def used(session: psycopg.Connection, label: str) -> str:
    session.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO ordinary; SET ROLE ordinary")
    row = session.execute(f"SELECT pg_temp.enum_value_used('st', '{label}')".encode()).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize("place", PLACES)
def test_a_value_in_use_is_found(session: psycopg.Connection, place: str) -> None:
    made, said = PLACES[place]
    session.execute(made.replace("$LABEL", f"'{LABEL}'").encode())
    assert said in used(session, LABEL)


def test_one_that_nobody_uses_is_not(session: psycopg.Connection) -> None:
    """The negative control, beside uses of others and texts that hold the label without being the enum."""
    session.execute(
        "CREATE TYPE comp AS (n int, s st); CREATE TABLE t (c st DEFAULT 'a', d st[], e comp, f text);"
        "INSERT INTO t VALUES ('a', '{a}', '(1,a)', 'b');"
        "CREATE VIEW v AS SELECT FROM t WHERE c = 'a' AND f = 'b'"
    )
    assert used(session, "b") == "ok"
