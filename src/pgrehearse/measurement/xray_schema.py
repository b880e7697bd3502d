"""The prepared database of an x-ray: a reader's schema, loaded from a dump, or dumped from a database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from pgrehearse.environments.connection_strings import parts_of
from pgrehearse.environments.direct import direct
from pgrehearse.environments.target import resolved
from pgrehearse.errors import DocumentError, SetupError, first_line
from pgrehearse.execution.maker import Maker
from pgrehearse.schema import dump, load
from pgrehearse.servers.base import Server

__all__ = ["dumped", "filled", "loaded"]

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
        with psycopg.connect(make_conninfo("", **parts), autocommit=True) as connection:
            direct(connection)  # pg_dump changes settings of its session
            conninfo = resolved(connection)
    except psycopg.Error as error:
        reason = first_line(error)
        raise SetupError(f"the database cannot be reached: {reason}", next_step="check the DSN") from None
    return dump.dump(conninfo, owners=False, lock_wait=5).text


def filled(server: Server, database: str, file: Path) -> list[str]:
    """Run ``file`` in ``database``. Returns what could not be made and does not matter here.

    Raises:
        DocumentError: no such file, or an error that does matter, with the line it stands on.
    """
    if not file.is_file():
        raise DocumentError("no such file", path=file, next_step="check the spelling")
    refused = load.load(server.dsn(database), file, rows=1000)
    for one in refused:
        if not _HARMLESS.search(one.text):
            raise DocumentError(
                one.text,
                path=file,
                line=one.line,
                next_step="mend it, or dump the schema again with pg_dump -s",
            )
    return [f"{file}:{one.line}: {one.text}" for one in refused]


@contextmanager
def loaded(server: Server, files: list[Path]) -> Iterator[tuple[str, list[str]]]:
    """A new database that holds ``files``, dropped afterwards: its name, and what could not be made."""
    maker = Maker(server)
    try:
        name = maker.create("loaded", "template0")
        yield name, [note for file in files for note in filled(server, name, file)]
    finally:
        maker.close()
