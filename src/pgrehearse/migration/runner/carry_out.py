"""One statement by itself, carried out and measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
from psycopg.pq.abc import PGresult

from pgrehearse.migration.runner.ledger_rows import Cost
from pgrehearse.migration.runner.table_files import Files
from pgrehearse.migration.runner.watched_statements import StatementWatch
from pgrehearse.text.passwords import redacted
from pgrehearse.text.split import Statement
from pgrehearse.text.statement import classify

__all__ = ["carry_out", "changed_rows"]

_WAL = "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0'::pg_catalog.pg_lsn)"
_COUNTED = (b"INSERT", b"UPDATE", b"DELETE", b"MERGE", b"COPY")


def carry_out(
    connection: psycopg.Connection[Any],
    watch: StatementWatch,
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
        files, wal = Files(connection), _wal(connection)
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
    wal_bytes, changed = _wal(connection) - wal, files.read()
    return replace(
        cost,
        milliseconds=milliseconds,
        lock_wait_ms=watch.waited * 1000,
        wal_bytes=wal_bytes,
        rows=changed_rows(result),
        # TRUNCATE gives a new file without copying a row
        rewritten=() if classify(statement).verb == "truncate" else changed,
    )


def changed_rows(result: PGresult) -> int | None:
    """Rows that a statement inserted, changed or deleted; None for one that does none of these."""
    counted = (result.command_status or b"").startswith(_COUNTED)
    return result.command_tuples if counted else None


def _wal(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute(_WAL).fetchone()
    assert row is not None
    return int(row[0])
