"""Roles that the files of a project take for granted, or make, on a disposable server.

A role belongs to the whole cluster. It outlives the database whose file made it, so the next database that is
made of the same files finds it; and a file may name one that nothing here makes. ``db/roles.sql``, beside the
folder of the migrations, declares those.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from pgrehearse.connections import connect
from pgrehearse.errors import DocumentError
from pgrehearse.schema import foreign_sql
from pgrehearse.schema.roles import names
from pgrehearse.servers.base import Server
from pgrehearse.text.project import Project
from pgrehearse.text.reader import plain, reading

__all__ = ["Roles", "created"]

_UNKNOWN = re.compile(r'role "(.*)" does not exist')
_EXISTS = "42710"


class Roles:
    """The roles of ``project`` on ``server``. Those that were not there before go with `close`."""

    def __init__(self, server: Server, project: Project) -> None:
        self._server = server
        self._file = project.migrations.parent / "roles.sql"
        self._before: frozenset[str] | None = None
        self._made: set[str] = set()
        #: roles nothing declares, which files take for granted
        self.assumed: list[str] = []

    def declare(self, database: str) -> None:
        """Carry out ``db/roles.sql``, if there is one, in ``database``. What exists already is left as it is.

        Raises DocumentError: a statement of it fails.
        """
        if not self._file.is_file():
            return
        todo = foreign_sql.read(self._file, {"DBNAME": database})
        with connect(self._server.dsn(database), autocommit=True, prepare_threshold=None) as connection:
            for one in todo:
                self._watched(connection)
                refused = foreign_sql.run(connection, one)
                self._made |= {name for name in [created(one.sql)] if name}
                if refused is not None and refused.sqlstate != _EXISTS:
                    raise DocumentError(
                        refused.text,
                        path=self._file,
                        line=refused.line,
                        next_step="mend it; pgrehearse db check --write-roles makes it anew",
                    )

    def repeated(self, sql: str) -> bool:
        """Whether ``sql`` makes a role that these files made before, in another database of this server."""
        name = created(sql)
        if not name:
            return False
        with connect(self._server.watching.dsn(), autocommit=True) as connection:
            before = self._watched(connection)
            self._made.add(name)
            return name not in before and name in names(connection)

    def set_aside(self, statements: Iterable[str]) -> None:
        """Give the roles that ``statements`` have made another name, so that they can be made again.

        The databases that were made with them keep them. Both go with `close`.
        """
        wanted = {name for name in map(created, statements) if name}
        if not wanted:
            return
        self._made |= wanted
        with connect(self._server.watching.dsn(), autocommit=True) as connection:
            before = self._watched(connection)
            for name in sorted((wanted & names(connection)) - before):
                aside = f"{name[:40]}_{secrets.token_hex(6)}"
                rename = SQL("ALTER ROLE {} RENAME TO {}").format(Identifier(name), Identifier(aside))
                with suppress(psycopg.Error):
                    connection.execute(rename)
                    self._made.add(aside)

    def supplied(self, error: str) -> bool:
        """Whether ``error`` was that a role is missing, which is there now, plain: see ``assumed``."""
        unknown = _UNKNOWN.search(error)
        if unknown is None or unknown[1] in self.assumed:
            return False
        with connect(self._server.watching.dsn(), autocommit=True) as connection:
            self._watched(connection)
            with suppress(psycopg.Error):
                connection.execute(SQL("CREATE ROLE {}").format(Identifier(unknown[1])))
                self.assumed.append(unknown[1])
                self._made.add(unknown[1])
                return True
        return False

    def close(self) -> None:
        """Drop what was made. The databases that were made with it must be gone."""
        if not self._made or self._before is None:
            return
        with suppress(psycopg.Error), connect(self._server.watching.dsn(), autocommit=True) as connection:
            for name in sorted(self._made - self._before):
                with suppress(psycopg.Error):
                    connection.execute(SQL("DROP ROLE IF EXISTS {}").format(Identifier(name)))

    def _watched(self, connection: psycopg.Connection[Any]) -> frozenset[str]:
        """The roles that were there before the first was made here."""
        if self._before is None:
            self._before = frozenset(names(connection))
        return self._before


def created(sql: str) -> str:
    """The role that ``sql`` makes, as the catalog has its name; empty for any other statement."""
    reader = reading(sql)
    if not reader.takes("create") or not reader.takes_one("role", "user", "group"):
        return ""
    if reader.word() == "mapping":
        return ""
    path = reader.path()
    return plain(path[0]) if len(path) == 1 else ""
