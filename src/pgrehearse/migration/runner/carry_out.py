"""One statement, carried out and measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg

from pgrehearse.migration.runner.ledger import Cost
from pgrehearse.migration.runner.watch import Watch
from pgrehearse.text.passwords import redacted
from pgrehearse.text.split import Statement
from pgrehearse.text.statement import classify

__all__ = ["carry_out"]

#: Every relation with rows of its own. Read amid a migration, so it holds no operator that its search path
#: could replace; what is the application's is told apart here.
_FILES = """
SELECT c.oid::pg_catalog.int8, n.nspname, pg_catalog.quote_ident(n.nspname),
       pg_catalog.quote_ident(c.relname), pg_catalog.pg_relation_filenode(c.oid)::pg_catalog.int8
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n
       ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'm']::pg_catalog."char"[])
   AND c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"
"""
_WAL = "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0'::pg_catalog.pg_lsn)"
#: Schemas that are not the application's; nor are those whose name begins with pg_.
_NOT_THEIRS = ("information_schema", "pgrehearse", "pgrehearse_promotion")
_COUNTED = ("INSERT", "UPDATE", "DELETE", "MERGE", "COPY")


def carry_out(
    connection: psycopg.Connection[Any],
    watch: Watch,
    statement: Statement,
    number: int,
    line: int,
    *,
    failed: Callable[[Cost], None],
) -> Cost:
    """Run one statement and return what it cost.

    ``failed`` is told the cost of a statement that raises; the psycopg.Error goes on to the caller.
    """
    cost = Cost(number, line, redacted(statement.sql), "done")
    try:
        files, wal = _files(connection), _wal(connection)
    except BaseException:
        failed(replace(cost, outcome="failed"))
        raise
    started = time.monotonic()
    try:
        result = watch.run(statement.sql)
    except BaseException:
        milliseconds = (time.monotonic() - started) * 1000
        failed(replace(cost, outcome="failed", milliseconds=milliseconds, lock_wait_ms=watch.waited * 1000))
        raise
    milliseconds = (time.monotonic() - started) * 1000
    words = (result.command_status or b"").decode().split()
    return replace(
        cost,
        milliseconds=milliseconds,
        lock_wait_ms=watch.waited * 1000,
        wal_bytes=_wal(connection) - wal,
        rows=result.command_tuples if words[:1] and words[0] in _COUNTED else None,
        rewritten=_rewritten(statement.sql, files, _files(connection)),
    )


def _rewritten(
    sql: str, before: dict[int, tuple[str, int]], after: dict[int, tuple[str, int]]
) -> tuple[str, ...]:
    """Tables that were there before and have another file now. TRUNCATE gives one without copying a row."""
    if classify(sql).verb == "truncate":
        return ()
    return tuple(
        sorted(name for oid, (name, file) in after.items() if before.get(oid, (name, file))[1] != file)
    )


def _files(connection: psycopg.Connection[Any]) -> dict[int, tuple[str, int]]:
    """Tables by oid: name and file. Names are without their schema in public, whatever the search path is."""
    found = {}
    for oid, schema, quoted, name, file in connection.execute(_FILES):
        if schema not in _NOT_THEIRS and not schema.startswith("pg_"):
            found[oid] = name if schema == "public" else f"{quoted}.{name}", file
    return found


def _wal(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute(_WAL).fetchone()
    assert row is not None
    return int(row[0])
