"""The prepared database of an x-ray: a reader's schema, loaded from a dump, or dumped from a database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from pgrehearse.environments.connection_strings import parts_of
from pgrehearse.environments.direct import direct
from pgrehearse.environments.target import resolved
from pgrehearse.errors import DocumentError, SetupError, first_line
from pgrehearse.execution.maker import Maker
from pgrehearse.schema import dump, load
from pgrehearse.schema.kinds import IDENTIFIER
from pgrehearse.servers import Server, ordinary
from pgrehearse.text.split import Statement
from pgrehearse.text.statement import classify

__all__ = ["dumped", "filled", "loaded"]

_CONNECT_LIMIT = "10"  # seconds
#: Errors of a dump that change nothing about locks: roles, extensions and settings this server does not have.
_HARMLESS = re.compile(
    r'role ".*" does not exist|extension ".*" (?:is not available|does not exist)'
    r"|unrecognized configuration parameter|could not open extension control file"
)
_EXTENSION = re.compile(
    rf"CREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>{IDENTIFIER})"
    rf"(?:\s+WITH)?(?:\s+SCHEMA\s+(?P<schema>{IDENTIFIER}))?",
    re.I,
)
_NEEDS_SUPERUSER = """
SELECT bool_and(superuser AND NOT trusted) FROM pg_catalog.pg_available_extension_versions WHERE name = %s
"""
_MAKE_EXTENSION = (
    "CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {role}",
    "CREATE EXTENSION IF NOT EXISTS {name} SCHEMA {schema} CASCADE",
    "GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {role}",
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
        with psycopg.connect(make_conninfo("", **parts), autocommit=True) as connection:
            direct(connection)  # pg_dump changes settings of its session
            conninfo = resolved(connection)
    except psycopg.Error as error:
        reason = first_line(error)
        raise SetupError(f"the database cannot be reached: {reason}", next_step="check the DSN") from None
    return dump.dump(conninfo, owners=False, lock_wait=5).text


def filled(server: Server, database: str, file: Path) -> list[str]:
    """Carry out ``file`` in ``database``, which is empty. Returns what could not be made and does not matter.

    Args:
        server: as `ordinary` gives it.

    Raises:
        DocumentError: no such file, a command of psql's in it, or an error that does matter, with its line.
    """
    todo = load.read(file)
    notes = [f"{file}:{line}: {text}" for line, text in _extensions(server, database, todo)]
    return notes + _carried_out(server, database, file, todo)


def _carried_out(server: Server, database: str, file: Path, todo: Iterable[Statement]) -> list[str]:
    notes: list[str] = []
    with psycopg.connect(
        server.dsn(database), autocommit=True, prepare_threshold=None, client_encoding="UTF8"
    ) as connection:
        for one in load.load(connection, todo):
            note = _note(one)
            if note is None:
                raise DocumentError(
                    one.text,
                    path=file,
                    line=one.line,
                    next_step="mend it, or dump the schema again with pg_dump -s",
                )
            notes += [f"{file}:{one.line}: {note}"] if note else []
    return notes


def _note(refused: load.Refused) -> str | None:
    """What to say of a statement that was refused; nothing of some; None: it matters."""
    kind = classify(refused.statement)
    if refused.sqlstate == "42P06" and kind.begins("create", "schema"):
        return ""  # made before, for an extension
    if refused.sqlstate == "42501":
        if kind.begins("comment", "on", "extension"):
            return ""
        return f"left out, for a schema of others gets no powers: {refused.text}"
    return refused.text if _HARMLESS.search(refused.text) else None


def _extensions(server: Server, database: str, todo: Iterable[Statement]) -> Iterator[tuple[int, str]]:
    """Make the extensions that need a superuser, in the empty database: nothing waits for their scripts."""
    wanted = [(one, named) for one in todo if (named := _EXTENSION.match(one.without_heading().sql))]
    if not wanted or server.watching is server:
        return
    with psycopg.connect(server.watching.dsn(database), autocommit=True) as connection:
        for one, named in wanted:
            name, schema = _plain(named["name"]), _plain(named["schema"] or "public")
            row = connection.execute(_NEEDS_SUPERUSER, [name]).fetchone()
            if row is None or not row[0]:
                continue
            names = {"name": Identifier(name), "schema": Identifier(schema), "role": Identifier(server.owner)}
            try:
                for statement in _MAKE_EXTENSION:
                    connection.execute(SQL(statement).format(**names))
            except psycopg.Error:
                continue  # the statement itself will say so
            yield one.line, f"the extension {name} needs a superuser, who made it before all else"


def _plain(name: str) -> str:
    """An identifier as the catalog has it."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


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
                notes += _carried_out(within, name, seed, load.read(seed, {"rows": "1000"}))
            yield within, name, notes
        finally:
            maker.close()
