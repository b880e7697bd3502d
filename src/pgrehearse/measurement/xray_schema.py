"""The prepared database of an x-ray: a reader's schema, loaded from a dump, or dumped from a database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import Literal

from pgrehearse.connections import connect
from pgrehearse.environments.connection_strings import parts_of
from pgrehearse.environments.direct import direct, unreachable
from pgrehearse.environments.target import resolved
from pgrehearse.errors import DocumentError, first_line
from pgrehearse.execution.maker import Maker
from pgrehearse.majors import known
from pgrehearse.schema import dump, extensions, foreign_sql
from pgrehearse.servers import Server, ordinary
from pgrehearse.text.split import Statement
from pgrehearse.text.statement import code
from pgrehearse.troubles import elsewhere

__all__ = ["assumed", "dumped", "filled", "loaded", "zone"]

_VIEWS = """
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind = 'm' ORDER BY c.oid
"""
#: A type that depends on the time zone, where a column gets another type.
_ZONED = re.compile(r"^alter table .* type timestamp")
_CONNECT_LIMIT = "10"  # seconds
#: Errors of a dump that change nothing about locks: roles, extensions and settings this server does not have.
_HARMLESS = re.compile(
    r'role ".*" does not exist|extension ".*" (?:is not available|does not exist)'
    r"|unrecognized configuration parameter|could not open extension control file"
)


def dumped(dsn: str) -> str:
    """The schema of the database ``dsn`` names, as pg_dump writes it in a read-only session.

    Raises:
        SetupError: the DSN cannot be read, or the database not reached or dumped. No message holds
            a password.
    """
    parts = parts_of(
        dsn,
        what="the DSN",
        fix="write postgresql://user@host:port/database or 'host=... dbname=...'",
    )
    parts.setdefault("connect_timeout", _CONNECT_LIMIT)
    try:
        with connect(make_conninfo("", **parts), autocommit=True) as connection:
            direct(connection)  # pg_dump changes settings of its session
            known(connection.info.server_version // 10000)  # it is rehearsed on one of ours
            conninfo = resolved(connection)
    except psycopg.Error as error:
        raise unreachable(error) from None
    return dump.dump(conninfo, owners=False, lock_wait=5).text


def zone(dsn: str) -> str:
    """The SET statement for what a new session of the database ``dsn`` names has for its time zone.

    It decides whether a timestamp that becomes a timestamptz is written anew. Raises SetupError as `dumped`.
    """
    parts = parts_of(dsn, what="the DSN", fix="write postgresql://user@host:port/database")
    parts.setdefault("connect_timeout", _CONNECT_LIMIT)
    try:
        with connect(make_conninfo("", **parts), autocommit=True) as connection:
            row = connection.execute("SELECT pg_catalog.current_setting('TimeZone')").fetchone()
    except psycopg.Error as error:
        raise unreachable(error) from None
    return f"SET TimeZone = {Literal(str(row[0]) if row else 'UTC').as_string()}"


def assumed(statements: Iterable[str]) -> list[str]:
    """What is said of ``statements`` that were measured in a time zone nobody told."""
    if not any(_ZONED.search(code(sql)) for sql in statements):
        return []
    said = "the time zone is taken to be UTC; in another one timestamp to timestamptz rewrites the table"
    return [f"{said}: --dsn reads it"]


def filled(server: Server, database: str, file: Path) -> list[str]:
    """Carry out ``file`` in ``database``, which is empty. Returns what could not be made and does not matter.

    Args:
        server: as `ordinary` gives it.

    Raises:
        DocumentError: no such file, a command of psql's in it, or an error that does matter, with its line.
    """
    todo = foreign_sql.read(file)
    notes: list[str] = []
    if server.watching is not server:
        with connect(server.watching.dsn(database), autocommit=True) as connection:
            made = extensions.make(connection, server.owner, todo)
            notes += [f"{file}:{line}: {text}" for line, text in made]
    return notes + _carried_out(server, database, file, todo) + populated(server, database)


def _carried_out(server: Server, database: str, file: Path, todo: Iterable[Statement]) -> list[str]:
    notes: list[str] = []
    with connect(server.dsn(database), autocommit=True, prepare_threshold=None) as connection:
        for one in foreign_sql.load(connection, todo):
            note = _note(one)
            if note is None:
                raise DocumentError(
                    one.text,
                    path=file,
                    line=one.line,
                    next_step="mend it, or dump the schema again with pg_dump -s",
                )
            notes += [f"{file}:{one.line}: {elsewhere(note, note)}"] if note else []
    return notes


def _note(refused: foreign_sql.RefusedStatement) -> str | None:
    """What to say of a statement that was refused; nothing of some; None: it matters."""
    if extensions.is_made(refused):
        return ""
    if refused.sqlstate == "42501":
        return f"left out, for a schema of others gets no powers: {refused.text}"
    return refused.text if _HARMLESS.search(refused.text) else None


def populated(server: Server, database: str) -> list[str]:
    """Fill the materialized views of ``database``, which a dump leaves empty; notes on those that fail.

    One may read another: those that fail are tried again, as long as one succeeds.
    """
    left: dict[str, str] = {}
    with connect(server.dsn(database), autocommit=True) as connection:
        todo = [str(name) for (name,) in connection.execute(_VIEWS).fetchall()]
        while todo:
            left = {}
            for name in todo:
                try:
                    connection.execute(f"REFRESH MATERIALIZED VIEW {name}".encode())
                except psycopg.Error as error:
                    left[name] = first_line(error)
            if len(left) == len(todo):
                break
            todo = [*left]
    return [f"the materialized view {name} stays without rows: {reason}" for name, reason in left.items()]


@contextmanager
def loaded(server: Server, schema: Path, seed: Path | None = None) -> Iterator[tuple[Server, str, list[str]]]:
    """A new database that holds ``schema`` and the rows of ``seed``, dropped afterwards.

    It comes with the server to measure on, where code in it has no powers, and what could not be made.
    """
    with ordinary(server) as within:
        maker = Maker(within)
        try:
            name = maker.create("loaded", "template0")
            notes = filled(within, name, schema)
            if seed is not None:
                notes += _carried_out(within, name, seed, foreign_sql.read(seed, {"rows": "1000"}))
                notes += populated(within, name)
            yield within, name, notes
        finally:
            maker.close()
