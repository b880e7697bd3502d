"""A server seen through a role without powers: for schemas that somebody else wrote.

Triggers, defaults, CHECKs and index expressions are code. Whoever inserts a row runs them; a superuser, or a
member of ``pg_execute_server_program``, lends them the account of the server. So such code meets only a role
that owns the databases it is in and may do nothing else; who watches connects elsewhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier, Literal

from pgrehearse.connections import connect
from pgrehearse.errors import SetupError
from pgrehearse.servers import claimed
from pgrehearse.servers.base import Server

__all__ = ["OrdinaryServer", "ordinary"]

#: Whether the role has a power beyond its own databases, its own or one it could take by SET ROLE; whether
#: that is all of them.
_POWERS = """
SELECT r.rolsuper OR r.rolcreaterole OR r.rolreplication OR r.rolbypassrls
       OR EXISTS (SELECT FROM pg_catalog.pg_roles AS other
                   WHERE (other.rolsuper OR pg_catalog.starts_with(other.rolname::pg_catalog.text, 'pg_'))
                     AND other.rolname <> 'pg_database_owner'
                     AND pg_catalog.pg_has_role(r.oid, other.oid, 'MEMBER')),
       r.rolsuper
  FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user
"""


class OrdinaryServer(Server):
    """``powerful``, where databases belong to ``role`` and are connected to as ``role``. See `ordinary`."""

    def __init__(self, powerful: Server, role: str, password: str) -> None:
        self.major, self.version = powerful.major, powerful.version
        self.source, self.id, self.copies = powerful.source, powerful.id, powerful.copies
        self._powerful, self._password = powerful, password
        self.owner = role

    @property
    def watching(self) -> Server:
        return self._powerful

    def dsn(self, dbname: str = "postgres", user: str | None = None) -> str:
        return make_conninfo(self._powerful.dsn(dbname, user or self.owner), password=self._password)

    def env(self, dbname: str) -> dict[str, str]:
        return {**self._powerful.env(dbname), "PGUSER": self.owner, "PGPASSWORD": self._password}

    def alive(self) -> bool:
        return self._powerful.alive()

    def log_tail(self, lines: int = 20) -> str:
        return self._powerful.log_tail(lines)

    def stop(self, keep: bool = False) -> None:
        """Do nothing: whoever has the server itself stops it."""


@contextmanager
def ordinary(server: Server) -> Iterator[Server]:
    """``server`` through a new role without powers, dropped afterwards; itself if its own role has none.

    Databases made meanwhile must be gone by then.

    Raises:
        SetupError: the role cannot be made, or the server does not let it in.
    """
    name, password = claimed.new_name(), secrets.token_urlsafe(24)
    made = OrdinaryServer(server, name, password)
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(connect(server.dsn(), autocommit=True))
            powerful, superuser = connection.execute(_POWERS).fetchone() or (True, True)
            if powerful:
                connection.execute(claimed.CLAIM)
                _make(connection, name, password, superuser=superuser)
                stack.callback(_drop, connection, name)
                connect(made.dsn()).close()
        except psycopg.Error as error:
            reason = str(error).strip().splitlines()[0].replace(password, "***")
            raise SetupError(
                f"a schema of others meets only a role without powers, and that cannot be had: {reason}",
                next_step="use a server whose role owns its databases and is no superuser, or one that lets"
                " roles in by password",
            ) from None
        yield made if powerful else server


def _make(
    connection: psycopg.Connection[tuple[Any, ...]], name: str, password: str, *, superuser: bool
) -> None:
    """Make the role. The server's log sees a hash of its password."""
    hashed = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")
    create = SQL("CREATE ROLE {} LOGIN PASSWORD {}")  # what is not named here it may not do
    connection.execute(create.format(Identifier(name), Literal(hashed.decode())))
    if superuser:  # rows are copied in without their triggers, which were obeyed where they are from
        may = SQL("GRANT SET ON PARAMETER session_replication_role TO {}")
        connection.execute(may.format(Identifier(name)))


def _drop(connection: psycopg.Connection[tuple[Any, ...]], name: str) -> None:
    """Drop the role; it stays when a database of it could not be dropped, which was said then."""
    with suppress(psycopg.Error):
        connection.execute(SQL("DROP OWNED BY {}").format(Identifier(name)))
        connection.execute(SQL("DROP ROLE {}").format(Identifier(name)))
