"""Databases for one test each, made and dropped, and questions to them."""

from __future__ import annotations

import atexit
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, LiteralString, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgrehearse.environments import marks
from pgrehearse.execution.maker import copying, dropping
from pgrehearse.servers import Server

__all__ = [
    "STANDARD",
    "Database",
    "Owned",
    "admin",
    "execute",
    "fresh",
    "mark",
    "name_of",
    "names",
    "owned_on",
]

#: The databases of a server nobody used.
STANDARD = {"postgres", "template0", "template1"}
#: A connection to each server, by its id: making one takes as long as what it is made for.
_admins: dict[str, psycopg.Connection[Any]] = {}


def execute(dsn: str, text: str) -> list[tuple[Any, ...]]:
    """Run ``text`` on a connection of its own, outside a transaction; the rows, if it gives some."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.execute(cast(LiteralString, text))
        return cursor.fetchall() if cursor.description else []


def name_of(dsn: str) -> str:
    """The name of the database that a connection string names."""
    return str(conninfo_to_dict(dsn)["dbname"])


def names(server: Server) -> set[str]:
    """All databases of a server."""
    return {str(name) for (name,) in execute(server.dsn(), "SELECT datname FROM pg_database")}


def mark(dsn: str, environment: str) -> None:
    """Say in the database that it belongs to ``environment``; whatever the word, allowed or not."""
    execute(dsn, marks.set_statement(name_of(dsn), environment))


@contextmanager
def fresh(
    server: Server, environment: str | None = None, *, template: str = "template0", prefix: str = "test"
) -> Iterator[str]:
    """The connection string of a new database, marked if so asked; dropped if its server lives."""
    name = f"{prefix}_{secrets.token_hex(4)}"
    _carry_out(server, copying(server, name, template)[1:])  # nobody is connected to a template
    try:
        if environment is not None:
            _carry_out(server, [marks.set_statement(name, environment)])
        yield server.dsn(name)
    finally:
        if server.alive():
            _carry_out(server, dropping(name))


def _carry_out(server: Server, statements: Iterable[str]) -> None:
    connection = admin(server)
    for statement in statements:
        connection.execute(cast(LiteralString, statement))


def admin(server: Server) -> psycopg.Connection[Any]:
    """The superuser's connection to the database ``postgres`` that tests share, outside a transaction."""
    found = _admins.get(server.id)
    if found is not None:
        try:
            found.execute("SELECT 1")
        except psycopg.OperationalError:  # a test crashed the server, or ended its connections
            found.close()
            found = None
    if found is None:
        found = _admins[server.id] = psycopg.connect(server.dsn(), autocommit=True)
    return found


@atexit.register
def _close() -> None:
    for connection in _admins.values():
        connection.close()


@dataclass(frozen=True)
class Database:
    """A database a test may do anything to."""

    dsn: str

    @property
    def name(self) -> str:
        return name_of(self.dsn)

    def execute(self, text: str) -> list[tuple[Any, ...]]:
        return execute(self.dsn, text)

    def one(self, text: str) -> Any:
        """The first value of the first row."""
        return self.execute(text)[0][0]

    def mark(self, environment: str) -> None:
        mark(self.dsn, environment)

    @contextmanager
    def session(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of an application, in a transaction that is rolled back."""
        with psycopg.connect(self.dsn) as connection:
            yield connection
            with suppress(psycopg.OperationalError):  # a test may have ended the server
                connection.rollback()

    def running(self, part: str, waits: bool = False) -> bool:
        """Whether pgrehearse executes a statement with ``part`` here, and waits for a lock if so asked."""
        found = self.execute(
            "SELECT query, wait_event_type FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name LIKE 'pgrehearse%' AND state = 'active'"
        )
        return any(part in query and (not waits or kind == "Lock") for query, kind in found)

    def backends(self) -> int:
        """Connections of pgrehearse to this database."""
        return int(
            self.one(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name LIKE 'pgrehearse%'"
            )
        )

    def trace(self) -> list[str]:
        """What steps wrote into the table ``trace``, in order."""
        return [str(row[0]) for row in self.execute("SELECT note FROM trace ORDER BY at")]


@dataclass(frozen=True)
class Owned(Database):
    """A database as its owner sees it, who is no superuser; ``admin`` is the superuser's way to it."""

    server: Server
    owner: str

    @property
    def admin(self) -> str:
        return self.server.dsn(self.name)


@contextmanager
def owned_on(server: Server) -> Iterator[Owned]:
    """A fresh, unmarked database and a role that owns it; both go with the block."""
    role = f"owner_{secrets.token_hex(4)}"
    execute(server.dsn(), f"CREATE ROLE {role} LOGIN")
    with fresh(server, prefix="It's owned") as dsn:
        made = Owned(make_conninfo(dsn, user=role), server, role)
        execute(made.admin, f'ALTER DATABASE "{made.name}" OWNER TO {role}')
        yield made
        execute(made.admin, f"DROP OWNED BY {role}")
    execute(server.dsn(), f"DROP ROLE {role}")
