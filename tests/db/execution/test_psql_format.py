"""Layouts that need no psql to know, and widths of characters against psql's own."""

from __future__ import annotations

import subprocess

import psycopg
import pytest
from psycopg.pq import ExecStatus

from pgrehearse.execution.psql_format import format_result
from pgrehearse.servers import Server, libpq_environment
from pgrehearse.servers.binaries import client


def printed(dsn: str, sql: str) -> str:
    with psycopg.connect(dsn) as connection:
        result = connection.pgconn.exec_(sql.encode())
        assert result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
        return format_result(result)


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("SELECT", "--\n(1 row)"),
        ("SELECT WHERE false", "--\n(0 rows)"),
        ("SELECT NULL::int AS n, 'a' AS t", "   n    | t\n--------+---\n (null) | a\n(1 row)"),
        ("SELECT 1 AS a UNION ALL SELECT 10 ORDER BY 1", " a\n----\n  1\n 10\n(2 rows)"),
        ("CREATE TEMP TABLE x (a int)", "CREATE TABLE"),
        ("SELECT 'a' || chr(10) || 'b' AS x, 1 AS n", " x | n\n---+---\n a+| 1\n b |\n(1 row)"),
    ],
)  # fmt: skip
def test_layout(database: str, sql: str, text: str) -> None:
    assert printed(database, sql) == text


def test_widths_of_all_common_characters(server: Server, database: str) -> None:
    """Every character of living scripts and emoji is as wide as in psql, or the columns would not line up."""
    blocks = [(0xA0, 0x5C7), (0x600, 0x88F), (0x900, 0x9FE), (0xE00, 0xF97), (0x1000, 0x10FF)]
    blocks += [(0x1E00, 0x27FF), (0x2E80, 0x302D), (0x3041, 0x3163), (0x3165, 0xD7A3), (0xF900, 0xFAFF)]
    blocks += [(0xFE00, 0xFF9F), (0x1F300, 0x1F64F)]
    where = " OR ".join(f"i BETWEEN {first} AND {last}" for first, last in blocks)
    sql = f"SELECT chr(i) AS abcd, i AS n FROM generate_series(160, 130000) AS i WHERE {where}"
    environment = {
        **server.env(psycopg.conninfo.conninfo_to_dict(database)["dbname"]),
        "PGCLIENTENCODING": "UTF8",
    }
    done = subprocess.run(
        [str(client("psql")), "-X", "-c", sql],
        env=libpq_environment(environment),
        capture_output=True,
        check=True,
    )
    theirs = [line.rstrip(" ") for line in done.stdout.decode().rstrip("\n").split("\n")]
    ours = [line.rstrip(" ") for line in printed(database, sql).split("\n")]
    assert len(theirs) > 20_000
    assert [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b] == []
