"""One statement, carried out and measured; and what a killed concurrent build left of itself."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from pgrehearse.migration.ledger import Cost
from pgrehearse.migration.watch import Watch
from pgrehearse.text.split import Statement, tokens

__all__ = ["Index", "built_index", "carry_out", "code", "of_the_session", "remains", "stands_alone"]

_FILES = """
SELECT c.oid::bigint, c.oid::regclass::text, pg_relation_filenode(c.oid)::bigint
  FROM pg_class AS c
 WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
   AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
"""
_WAL = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"
_INVALID = """
SELECT n.nspname, c.relname, i.indisvalid, i.indrelid = to_regclass(%(table)s) IS TRUE
  FROM pg_class AS t
  JOIN pg_class AS c ON c.relnamespace = t.relnamespace AND c.relname = %(index)s
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_index AS i ON i.indexrelid = c.oid
 WHERE t.oid = to_regclass(%(table)s)
"""
#: Statements that refuse a transaction block, or end transactions themselves.
_ALONE = (
    r"create (unique )?index concurrently|drop index concurrently"
    r"|reindex .*\bconcurrently\b|reindex (database|system|schema)|vacuum|cluster$"
    r"|alter table .* detach partition .* concurrently|alter system|(create|drop|alter) database"
    r"|(create|drop) tablespace|(create|drop|alter) subscription|do|call"
)
_OF_THE_SESSION = r"set (?!constraints)|reset |select (pg_catalog\.)?set_config\("
_NAME = r'(?:"(?:[^"]|"")+"|[a-z_\x80-\U0010ffff][a-z0-9_$\x80-\U0010ffff]*)'
_BUILD = re.compile(
    r"create (?:unique )?index concurrently (?:if not exists )?"
    rf"(?P<index>{_NAME}) on (?:only )?(?P<table>{_NAME}(?:\.{_NAME})?)[ (]"
)
_COUNTED = ("INSERT", "UPDATE", "DELETE", "MERGE", "COPY")


def code(sql: str) -> str:
    """The statement on one line without comments, key words in lower case, quoted names as they are."""
    parts = []
    for token in tokens(sql):
        if token.kind in ("space", "comment"):
            parts.append(" ")
        else:
            parts.append(token.text if token.kind in ("quoted", "string", "dollar") else token.text.lower())
    return re.sub(r" +", " ", "".join(parts)).strip()


def stands_alone(sql: str) -> bool:
    """Whether it cannot run inside a transaction, so that it and its record cannot be one."""
    return re.match(rf"(?:{_ALONE})\b", code(sql)) is not None


def of_the_session(sql: str) -> bool:
    """Whether its effect ends with the session: a resumed run needs it again."""
    return re.match(_OF_THE_SESSION, code(sql)) is not None


@dataclass(frozen=True)
class Index:
    """The index that a CREATE INDEX CONCURRENTLY makes: its bare name, and its table as written."""

    name: str
    table: str


def built_index(sql: str) -> Index | None:
    """The index that ``sql`` builds concurrently; None when it does not, or leaves the name to PostgreSQL."""
    found = _BUILD.match(code(sql) + " ")
    if found is None:
        return None
    name = found["index"]
    return Index(name[1:-1].replace('""', '"') if name.startswith('"') else name, found["table"])


@dataclass(frozen=True)
class Remains:
    """An index of the wanted name: ``valid``, and the statement that removes it."""

    valid: bool
    drop: Composed


def remains(connection: psycopg.Connection[Any], index: Index) -> Remains | None:
    """The index of that name on that table, if there is one."""
    row = connection.execute(_INVALID, {"table": index.table, "index": index.name}).fetchone()
    if row is None or not row[3]:
        return None
    drop = SQL("DROP INDEX CONCURRENTLY {}").format(Identifier(row[0], row[1]))
    return Remains(bool(row[2]), drop)


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
    files = _files(connection)
    wal = _wal(connection)
    cost = Cost(number, line, statement.sql, "done")
    watch.begin()
    started = time.monotonic()
    try:
        cursor = connection.execute(statement.sql.encode())
    except BaseException:
        waited = watch.end()
        milliseconds = (time.monotonic() - started) * 1000
        failed(replace(cost, outcome="failed", milliseconds=milliseconds, lock_wait_ms=waited * 1000))
        raise
    milliseconds = (time.monotonic() - started) * 1000
    waited = watch.end()
    words = (cursor.statusmessage or "").split()
    after = _files(connection)
    return replace(
        cost,
        milliseconds=milliseconds,
        lock_wait_ms=waited * 1000,
        wal_bytes=_wal(connection) - wal,
        rows=cursor.rowcount if words[:1] and words[0] in _COUNTED else None,
        rewritten=tuple(
            sorted(name for oid, (name, file) in after.items() if files.get(oid, (name, file))[1] != file)
        ),
    )


def _files(connection: psycopg.Connection[Any]) -> dict[int, tuple[str, int]]:
    """Tables by oid: name and file. A table with another file than before was rewritten."""
    return {oid: (name, file) for oid, name, file in connection.execute(_FILES)}


def _wal(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute(_WAL).fetchone()
    assert row is not None
    return int(row[0])
