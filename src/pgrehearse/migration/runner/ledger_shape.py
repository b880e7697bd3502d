"""Whether the ledger is one: its own tables, with nothing in between that drops, hides or changes a row."""

from __future__ import annotations

from typing import Any

import psycopg

from pgrehearse.errors import SetupError
from pgrehearse.execution.own_tables import SCHEMA, Wanted, look

__all__ = ["gone", "present", "untouched"]

_TABLES = (
    Wanted("public", "schema_migrations", ["version"], ["version"]),
    Wanted(
        SCHEMA,
        "attempt",
        ["id", "version", "name", "direction", "sha256", "who", "started", "finished", "outcome", "error"],
        ["id"],
    ),
    Wanted(
        SCHEMA,
        "statement",
        [
            "attempt",
            "number",
            "line",
            "sql",
            "outcome",
            "milliseconds",
            "lock_wait_ms",
            "wal_bytes",
            "rows",
            "rewritten",
            "tries",
        ],
        ["attempt", "number"],
    ),
)
#: Which of our tables the transaction has locked as somebody does who changes rows.
_CHANGED = """
SELECT DISTINCT t.name
  FROM pg_catalog.pg_locks AS l
  JOIN pg_catalog.unnest(ARRAY['pgrehearse.attempt', 'pgrehearse.statement']) AS t (name)
       ON l.relation = pg_catalog.to_regclass(t.name)
 WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation'
   AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'SIReadLock')
"""
_NEXT = (
    "take it away again, or put the table back as `pgrehearse db up` makes it on an empty database, with its"
    " rows from a backup; what is applied cannot be known without"
)


def present(connection: psycopg.Connection[Any]) -> tuple[bool, bool]:
    """Whether there are dbmate's table and ours, in the surroundings that `ours` makes.

    Raises SetupError: one of them is not what it must be, or half of them is there.
    """
    there: dict[str, bool] = {}
    for table in look(connection, _TABLES):
        there[table.name] = table.there
        if table.there and table.problems:
            raise SetupError(
                f"refused: the ledger cannot be trusted: {table.schema}.{table.name}"
                f" {'; '.join(table.problems)}",
                next_step=_NEXT,
            )
    if there["attempt"] != there["statement"]:
        lost = "statement" if there["attempt"] else "attempt"
        raise SetupError(f"refused: pgrehearse.{lost} is gone from the ledger", next_step=_NEXT)
    return there["schema_migrations"], there["attempt"]


def untouched(connection: psycopg.Connection[Any]) -> None:
    """Raise SetupError: the transaction, before it records anything, has changed what our tables hold."""
    rows = connection.execute(_CHANGED).fetchall()
    if rows:
        names = " and ".join(sorted(name for (name,) in rows))
        raise SetupError(
            f"refused: this migration changes {names}",
            next_step="leave the ledger alone: what it says was done is what counts",
        )


def gone(many: int) -> SetupError:
    """The error that dbmate's table is not there, while ``many`` migrations are recorded as applied."""
    return SetupError(
        f"refused: public.schema_migrations is gone, and pgrehearse.attempt says that {many} migrations are"
        " applied",
        next_step="put the table back from a backup; applied again, they would do their work twice",
    )
