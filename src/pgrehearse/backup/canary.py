"""A row that is written before the backup and read back from the copy: this copy is that database.

It carries which tables had rows then: nobody has to guess whether one of the copy is empty by mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from pgrehearse import queries
from pgrehearse.connections import connect
from pgrehearse.errors import SetupError, first_line
from pgrehearse.execution.own_tables import SCHEMA, Wanted, create, look

__all__ = ["Canary", "read", "table", "tables", "write"]

_WANTED = Wanted(SCHEMA, "canary", ["id", "at", "lsn", "tables"], ["id"])
#: Where it is only read: a copy that lost its keys is refused for all of them together, by name.
_READABLE = replace(_WANTED, key=())
_WRITE = """
INSERT INTO pgrehearse.canary (tables) VALUES (%s) RETURNING id::text, at, lsn::text
"""
_READ = "SELECT id::text, at, lsn::text, tables FROM pgrehearse.canary ORDER BY at, lsn"


@dataclass(frozen=True)
class Canary:
    """One row. ``tables``: table -> rows it had, as far as known: 0 is none, -1 some."""

    id: str
    at: datetime
    lsn: str
    tables: Mapping[str, int]


def write(conninfo: str) -> Canary:
    """Write one. Raises SetupError: the role may not, or something hides or changes what is written there."""
    try:
        with connect(conninfo) as connection:
            table(connection)
            found = tables(connection)
            row = connection.execute(_WRITE, [Jsonb(found)]).fetchone()
            assert row is not None
            name, at, position = row
            return Canary(name, at, position, found)
    except psycopg.Error as error:
        raise SetupError(
            f"the canary row cannot be written: {first_line(error)}",
            next_step="connect as the owner of the database, who migrates it",
        ) from None


def read(connection: psycopg.Connection[Any]) -> list[Canary]:
    """All of them, oldest first; none where the table is not there. Raises SetupError as `table` does."""
    if not _there(connection, _READABLE):
        return []
    return [Canary(*row) for row in connection.execute(_READ).fetchall()]


def table(connection: psycopg.Connection[Any]) -> None:
    """Make the tables where they are not. Raises SetupError: they are not what they must be."""
    if not _there(connection, _WANTED):
        create(connection, "backup_tables")


def _there(connection: psycopg.Connection[Any], wanted: Wanted) -> bool:
    """Whether it is. A view in its place would run as whoever reads it, a superuser of the copy for one."""
    (found,) = look(connection, [wanted])
    if found.there and found.problems:
        raise SetupError(
            f"{SCHEMA}.canary is not what it must be: {'; '.join(found.problems)}",
            next_step="take that away again; a canary that something changes proves nothing",
        )
    return found.there


def tables(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Every table of the application -> its rows by the statistics; -1 where it has some, 0 for none."""
    found: dict[str, int] = {}
    for name, quoted, known in connection.execute(queries.text("backup_relations")).fetchall():
        row = connection.execute(f"SELECT EXISTS (SELECT FROM ONLY {quoted})".encode()).fetchone()
        found[name] = (int(known) or -1) if row and row[0] else 0
    return found
