"""The database an operator points at: named on purpose, marked with its environment, or refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgrehearse.connections import Connection, connect
from pgrehearse.environments import marks
from pgrehearse.environments.connection_strings import environment_variables, parts_of
from pgrehearse.environments.direct import direct, unreachable
from pgrehearse.environments.names import ENVIRONMENTS
from pgrehearse.errors import SetupError
from pgrehearse.majors import not_too_old, said

__all__ = ["Target", "connected", "look", "open_target", "reached", "resolved"]

#: Qualified like the question for the mark: what is refused here must not be argued away.
_QUESTION = """
SELECT pg_catalog.current_setting('server_version'), pg_catalog.current_setting('server_version_num')::int,
       d.datname, d.oid::pg_catalog.text, current_user, pg_catalog.pg_is_in_recovery()
  FROM pg_catalog.pg_database AS d
 WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
"""
_CONNECT_LIMIT = 10.0  # seconds


@dataclass(frozen=True)
class Target:
    """A database that may be worked on. ``conninfo`` may hold a password: connect with it, never print it.

    ``oid`` tells it from a later database of the same name.
    """

    conninfo: str = field(repr=False)
    environment: str
    mark: marks.Mark = field(repr=False)
    major: int
    version: str
    database: str
    oid: str
    user: str
    where: str

    def libpq_environment(self) -> dict[str, str]:
        """libpq's variables for child processes, the password among them: never print it."""
        given = conninfo_to_dict(self.conninfo)
        return environment_variables({key: str(value) for key, value in given.items() if value})

    def __str__(self) -> str:
        on = f"{self.database} ({self.environment}) on {self.where} as {self.user}"
        return f"{on}, PostgreSQL {said(self.version)}"


def open_target(dsn: str | None, *, session: bool = True) -> Target:
    """Look at the database named by ``dsn`` or libpq's environment, and refuse what must be refused.

    ``session``: what is to be done needs a session of its own, so a pooler in between is refused.
    Raises SetupError: nothing names a database, it cannot be reached, it is a standby or too old, or it
    carries no environment, or two. No message holds a password.
    """
    with reached(dsn) as connection:
        if session:
            direct(connection)
        return look(connection)


def look(connection: psycopg.Connection[Any]) -> Target:
    """`open_target`, on a ``connection`` in autocommit mode."""
    mark = marks.read(connection)
    row = connection.execute(_QUESTION).fetchone()
    where = f"{connection.info.host or 'local socket'}:{connection.info.port}"
    conninfo = resolved(connection)
    assert row is not None
    version, number, database, oid, user, standby = row
    major, version = number // 10000, version.split()[0]
    not_too_old(where, major, version)
    if standby:
        raise SetupError(f"{database} is a standby", next_step="connect to the primary")
    environment = _environment(mark, database)
    return Target(conninfo, environment, mark, major, version, database, oid, user, where)


@contextmanager
def reached(dsn: str | None, *, limit: float = _CONNECT_LIMIT) -> Iterator[Connection]:
    """`connected` for a few questions; what goes wrong with them means that it cannot be reached either."""
    with connected(dsn, limit=limit) as connection:
        try:
            yield connection
        except psycopg.Error as error:
            raise unreachable(error) from None


def connected(dsn: str | None, *, limit: float = _CONNECT_LIMIT, **options: Any) -> Connection:
    """A connection in autocommit mode to the database named by ``dsn`` or libpq's environment.

    ``limit``: seconds until it must be there, where nothing else says so. ``options``: of the connection.
    Raises SetupError: nothing names a database, or it cannot be reached. No message holds a password.
    """
    parts = parts_of(
        dsn or "",
        what="the DSN",
        fix="write postgresql://user@host:port/database or 'host=... dbname=...'; a password goes"
        " into PGPASSWORD or the password file",
    )
    named = [parts.get("dbname"), parts.get("service"), *map(os.environ.get, ("PGDATABASE", "PGSERVICE"))]
    if not any(named):
        raise SetupError(
            "no database is named", next_step="give --dsn, or set PGDATABASE and PGHOST, or PGSERVICE"
        )
    if "connect_timeout" not in parts and "PGCONNECT_TIMEOUT" not in os.environ:
        parts["connect_timeout"] = str(ceil(limit))
    try:
        return connect(make_conninfo("", **parts), autocommit=True, **options)
    except psycopg.Error as error:
        raise unreachable(error) from None


def resolved(connection: psycopg.Connection[object]) -> str:
    """What libpq made of DSN, environment, service and password file, as one connection string.

    The sessions of the run and its Python cells then reach the server that was looked at, and no other.
    """
    options = {option.keyword.decode(): option.val for option in connection.pgconn.info if option.val}
    parts = {name: value.decode() for name, value in options.items() if not name.startswith("service")}
    parts |= {"host": connection.info.host, "port": str(connection.info.port)}
    if "hostaddr" in parts:
        parts["hostaddr"] = connection.info.hostaddr
    if connection.info.password:
        parts["password"] = connection.info.password
    return make_conninfo("", **parts)


def _environment(mark: marks.Mark, database: str) -> str:
    value = mark.environment()
    if value in ENVIRONMENTS:
        return str(value)
    said = f"calls its environment {value!r}" if value else "does not say which environment it is"
    raise SetupError(
        f"refused: database {database!r} {said}",
        next_step=f"say it once, one of {', '.join(ENVIRONMENTS)}: {mark.advice('staging')}",
    )
