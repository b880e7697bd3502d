"""What makes a statement wait: transactions that hold what others of every day hold.

An obstacle is set up before a statement starts. Either the statement completes beside it, or
``pg_blocking_pids`` proves that it waits for it. Nothing here depends on being quick enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg.sql import SQL, Composable, Identifier, Literal

from pgrehearse import queries

__all__ = ["OBSTACLES", "Obstacle", "Wait", "obstructed", "waits"]


@dataclass(frozen=True)
class Obstacle:
    """``name`` says what the other transaction did; ``snapshot`` that it only looked, long ago."""

    name: str
    snapshot: bool = False
    #: %s is the list of tables
    lock: str = ""
    rows: bool = False
    indexes: bool = False
    objects: bool = False


#: From what waits latest to what waits earliest: the later a statement is stopped, the more it has done.
OBSTACLES = (
    Obstacle("an old snapshot", snapshot=True),
    Obstacle("locked rows", rows=True),
    Obstacle("a reader", lock="LOCK TABLE {} IN ACCESS SHARE MODE NOWAIT", indexes=True),
    Obstacle("a writer", lock="LOCK TABLE {} IN ROW EXCLUSIVE MODE NOWAIT"),
    Obstacle("maintenance of the table", lock="LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE NOWAIT"),
    Obstacle("another change of the type or index", objects=True),
)

_TABLES = f"""
SELECT n.nspname, c.relname, c.relkind = 'r', pg_catalog.pg_relation_size(c.oid) / 8192 / 2
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND {queries.APPLICATION_TABLE}
 ORDER BY 1, 2
"""
_OBJECTS = f"""
SELECT pg_catalog.format('COMMENT ON INDEX %s IS %L', c.oid::pg_catalog.regclass,
                         pg_catalog.obj_description(c.oid, 'pg_class'))
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
 WHERE c.relpersistence = 'p' AND {queries.APPLICATION_SCHEMA}
UNION ALL
SELECT pg_catalog.format('COMMENT ON TYPE %s IS %L', t.oid::pg_catalog.regtype,
                         pg_catalog.obj_description(t.oid, 'pg_type'))
  FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
 WHERE t.typtype = 'e' AND {queries.APPLICATION_SCHEMA}
"""
_WAIT = """
SELECT coalesce(l.locktype, a.wait_event), coalesce(l.mode, ''),
       coalesce(l.relation::pg_catalog.regclass::pg_catalog.text, ''),
       coalesce(i.phase, '')
  FROM pg_catalog.pg_stat_activity AS a
  LEFT JOIN pg_catalog.pg_locks AS l ON l.pid = a.pid AND NOT l.granted
  LEFT JOIN pg_catalog.pg_stat_progress_create_index AS i ON i.pid = a.pid
 WHERE a.pid = %s AND %s = ANY (pg_catalog.pg_blocking_pids(a.pid))
"""


@dataclass(frozen=True)
class Wait:
    """Where a statement waits: PostgreSQL's own words for the lock, and for the phase of an index build."""

    locktype: str
    mode: str
    relation: str
    phase: str

    def __str__(self) -> str:
        if self.phase and self.phase != "initializing":
            return self.phase
        return f"waiting for {self.mode} on {self.relation or self.locktype}"


@contextmanager
def obstructed(other: psycopg.Connection, obstacle: Obstacle) -> Iterator[bool]:
    """Hold ``obstacle`` in a transaction of ``other``, rolled back afterwards.

    Yields False where the runbook itself holds what the obstacle would need.
    """
    try:
        try:
            _hold(other, obstacle)
            held = True
        except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled):
            other.rollback()
            held = False
        yield held
    finally:
        other.rollback()


def waits(monitor: psycopg.Connection, pid: int, other: psycopg.Connection) -> Wait | None:
    """Where backend ``pid`` waits for ``other`` right now, from ``pg_blocking_pids``, if it does."""
    row = monitor.execute(_WAIT, [pid, other.info.backend_pid]).fetchone()
    return Wait(*row) if row else None


def _hold(other: psycopg.Connection, obstacle: Obstacle) -> None:
    if obstacle.snapshot:
        other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        other.execute("SELECT 1")
        return
    other.execute("SET LOCAL lock_timeout = '100ms'")
    tables = other.execute(_TABLES).fetchall()
    names: list[Composable] = [
        SQL("{}.{}").format(Identifier(home), Identifier(name)) for home, name, *_ in tables
    ]
    if obstacle.lock and names:
        other.execute(SQL(obstacle.lock).format(SQL(", ").join(names)))
    for name, (*_, plain, middle) in zip(names, tables, strict=True):
        if obstacle.indexes:  # planning locks the indexes too, as every query does
            other.execute(SQL("EXPLAIN SELECT FROM {}").format(name))
        if obstacle.rows and plain:  # the second half: a walk over the table has done some of its work then
            where = SQL("SELECT FROM {} WHERE ctid >= {}::pg_catalog.tid FOR UPDATE NOWAIT")
            other.execute(where.format(name, Literal(f"({middle},0)")))
    if obstacle.objects:
        for (comment,) in other.execute(_OBJECTS).fetchall():
            other.execute(comment)
