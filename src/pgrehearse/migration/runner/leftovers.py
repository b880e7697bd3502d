"""What an interrupted concurrent statement leaves in the database, and what clears it away.

Such a statement commits several times, so its end and its record are two things. After a kill the database
itself has to say how far it came.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from pgrehearse.errors import ExpectationError
from pgrehearse.text.concurrent import Detach, Drop, Index, Reindex, built_index, concurrent
from pgrehearse.text.passwords import redacted

__all__ = ["Clearing", "Found", "Leftover", "look"]

_INDEX = """
SELECT n.nspname, c.relname, i.indisvalid
  FROM pg_catalog.pg_class AS t
  JOIN pg_catalog.pg_class AS c ON c.relnamespace = t.relnamespace AND c.relname = %(index)s
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid AND i.indrelid = t.oid
 WHERE t.oid = pg_catalog.to_regclass(%(table)s)
"""
#: REINDEX CONCURRENTLY builds NAME_ccnew beside NAME, swaps them, and drops what is NAME_ccold then.
_TRANSIENT = """
SELECT n.nspname, c.relname
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
 WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$' AND ({})
 ORDER BY 1, 2
"""
#: Which tables' indexes: ``owner`` is the table itself where ``t`` is its TOAST table.
_SCOPES = {
    "index": "t.oid = (SELECT indrelid FROM pg_catalog.pg_index"
    " WHERE indexrelid = pg_catalog.to_regclass(%(name)s))"
    " OR t.oid IN (SELECT i2.indrelid"
    " FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass(%(name)s)) AS p"
    " JOIN pg_catalog.pg_index AS i2 ON i2.indexrelid = p.relid)",
    "table": "t.oid = pg_catalog.to_regclass(%(name)s)"
    " OR t.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass(%(name)s)))"
    " OR t.oid IN (SELECT reltoastrelid FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass(%(name)s)"
    " OR oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass(%(name)s))))",
    "schema": "EXISTS (SELECT FROM pg_catalog.pg_class AS o WHERE (o.oid = t.oid OR o.reltoastrelid = t.oid)"
    " AND o.relnamespace = pg_catalog.to_regnamespace(%(name)s))",
    "database": "%(name)s::text IS NOT NULL",
}
_ATTACHED = """
SELECT n.nspname, p.relname, pn.nspname, c.relname, i.inhdetachpending
  FROM pg_catalog.pg_class AS p
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.relnamespace
  CROSS JOIN pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS pn ON pn.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = c.oid AND i.inhparent = p.oid
 WHERE p.oid = pg_catalog.to_regclass(%(parent)s) AND c.oid = pg_catalog.to_regclass(%(partition)s)
"""


@dataclass(frozen=True)
class Clearing:
    """The way of one concurrent statement, at ``path``:``line`` of a migration; ``tell`` takes lines."""

    connection: psycopg.Connection[Any]
    path: Path
    line: int
    tell: Callable[[str], None]

    def done_or_clear(self, sql: str, begun: Sequence[str]) -> bool:
        """Whether ``sql`` needs nothing more; if it does, nothing of an earlier try is in its way.

        ``begun``: what earlier tries of this statement were, in other words where the file was mended since.

        Raises:
            ExpectationError: something is in the way that no earlier try can have left.
        """
        for old in begun:
            self._clear(old)
        found = look(self.connection, sql)
        if begun and not found.obstacles:
            return found.finished and redacted(sql) in begun
        if found.obstacles:
            first = found.obstacles[0]
            self._refuse(
                f"{first.what} is in the way, and no migration here left it",
                f"find out whose it is, then: {first.mend.as_string(self.connection)};",
            )
        index = built_index(sql)
        if found.finished and index is not None and not index.lenient:
            # Left to PostgreSQL, the failure would look like the result of a build when it is tried again.
            self._refuse(
                f"index {index.name} is there already, and no migration here built it",
                "compare it with the file; if it is the same, write CREATE INDEX CONCURRENTLY IF NOT EXISTS",
            )
        return False

    def _clear(self, sql: str) -> None:
        for obstacle in look(self.connection, sql).obstacles:
            self.tell(f"clearing away: {obstacle.what} that an interrupted run left")
            self.connection.execute(obstacle.mend)

    def _refuse(self, what: str, next_step: str) -> NoReturn:
        raise ExpectationError(f"refused: {what}", path=self.path, line=self.line, next_step=next_step)


@dataclass(frozen=True)
class Leftover:
    """Something half done: in words, and the statement that clears it away."""

    what: str
    mend: Composed


@dataclass(frozen=True)
class Found:
    """How things are. ``finished``: as the statement would leave them. ``obstacles``: what is in the way."""

    finished: bool = False
    obstacles: tuple[Leftover, ...] = ()


def look(connection: psycopg.Connection[Any], sql: str) -> Found:
    """What an interrupted ``sql`` left, if it is of a kind that leaves something. Raises psycopg.Error."""
    match concurrent(sql):
        case Index() as index:
            return _index(connection, index)
        case Drop(name):
            row = connection.execute("SELECT pg_catalog.to_regclass(%s) IS NULL", [name]).fetchone()
            return Found(finished=row is not None and bool(row[0]))
        case Reindex() as wanted:
            return _reindex(connection, wanted)
        case Detach() as wanted:
            return _detach(connection, wanted)
        case _:
            return Found()


def _index(connection: psycopg.Connection[Any], index: Index) -> Found:
    row = connection.execute(_INDEX, {"table": index.table, "index": index.name}).fetchone()
    if row is None:
        return Found()
    return Found(finished=True) if row[2] else Found(obstacles=(_invalid(row[0], row[1]),))


def _reindex(connection: psycopg.Connection[Any], wanted: Reindex) -> Found:
    # A second REINDEX does no harm, so it need not be known whether the first came to its end.
    query = _TRANSIENT.format(_SCOPES["database" if wanted.what == "system" else wanted.what])
    rows = connection.execute(query.encode(), {"name": wanted.name}).fetchall()
    return Found(obstacles=tuple(_invalid(*row) for row in rows))


def _detach(connection: psycopg.Connection[Any], wanted: Detach) -> Found:
    names = {"parent": wanted.parent, "partition": wanted.partition}
    row = connection.execute(_ATTACHED, names).fetchone()
    if row is None:
        return Found()
    if not row[4]:
        return Found(finished=row[4] is None)
    mend = SQL("ALTER TABLE {} DETACH PARTITION {} FINALIZE").format(
        Identifier(row[0], row[1]), Identifier(row[2], row[3])
    )
    return Found(obstacles=(Leftover(f"half-detached partition {row[3]}", mend),))


def _invalid(schema: str, name: str) -> Leftover:
    drop = SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(Identifier(schema, name))
    return Leftover(f"INVALID index {name}", drop)
