"""A server somebody else runs, given by a URL. It must be marked as one that may be played with."""

from __future__ import annotations

import logging
import os

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgrehearse.connections import connect
from pgrehearse.environments import marks
from pgrehearse.environments.connection_strings import environment_variables, parts_of
from pgrehearse.environments.direct import direct
from pgrehearse.environments.permissions import Operation, demand
from pgrehearse.errors import SetupError
from pgrehearse.majors import not_too_old, said, untried
from pgrehearse.servers.base import Server

__all__ = ["UrlServer"]

_log = logging.getLogger(__name__)
_CREATES = """
SELECT r.rolsuper OR r.rolcreatedb
  FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) current_user
"""
_CONNECT_LIMIT = 10  # seconds


class UrlServer(Server):
    """A server given by a URL or a libpq connection string; `stop` leaves it alone.

    Args:
        url: its maintenance database, from which disposable ones are created.

    Raises:
        SetupError: it cannot be read or reached, is a pooler, is not marked, is too old,
            or databases cannot be created. No message holds a password.
    """

    def __init__(self, url: str) -> None:
        self._parts = parts_of(
            url,
            what="the server's URL",
            fix="write postgresql://user:password@host:port/database, with @ : / ? # % in the password"
            " percent-encoded",
        )
        self._parts.setdefault("connect_timeout", str(_CONNECT_LIMIT))
        try:
            with connect(make_conninfo("", **self._parts), autocommit=True) as connection:
                direct(connection)
                info = connection.info
                number = info.server_version
                self.version = info.parameter_status("server_version") or str(number)
                self.major = number // 10000
                for name, value in (("host", info.host), ("port", str(info.port)), ("user", info.user)):
                    self._parts.setdefault(name, value)
                self._parts["dbname"] = info.dbname
                where = f"{info.host or 'local socket'}:{info.port}/{info.dbname}"
                mark = marks.read(connection)
                row = connection.execute(_CREATES).fetchone()
        except psycopg.Error as error:
            raise SetupError(
                f"the server of the URL cannot be used: {self._without_secrets(str(error))}",
                next_step="check host, port, user, password and database of PGREHEARSE_SERVER with psql",
            ) from None
        self.id = f"url-{self.major}"
        self.source = f"URL, {where}"
        assert row is not None
        self._check(where, mark, *row)

    def dsn(self, dbname: str = "postgres", user: str | None = None) -> str:
        parts = {**self._parts, "dbname": dbname}
        if user is not None and user != parts.get("user"):
            parts = {name: value for name, value in parts.items() if "password" not in name}
            parts["user"] = user
        return make_conninfo("", **parts)

    def env(self, dbname: str) -> dict[str, str]:
        return environment_variables({**self._parts, "dbname": dbname})

    def alive(self) -> bool:
        try:
            connect(make_conninfo("", **self._parts)).close()
        except psycopg.OperationalError:
            return False
        return True

    def log_tail(self, lines: int = 20) -> str:
        return ""

    def stop(self, keep: bool = False) -> None:
        """Do nothing: whoever started the server stops it."""

    def kept_line(self, dbname: str) -> str:
        """Return the psql line: the server goes on running."""
        return self.psql_line(dbname)

    def _check(self, where: str, mark: marks.Mark, creates: bool) -> None:
        not_too_old(where, self.major, self.version)
        if untried(self.version):
            _log.warning("the server at %s is PostgreSQL %s", where, said(self.version))
        environment = mark.environment()
        if environment is None:
            raise SetupError(
                f"the database at {where} is not marked as disposable, so no rehearsal may touch its server",
                next_step=f"if nothing on that server matters: {mark.advice('disposable')}",
            )
        demand(Operation.REHEARSE, environment, where)
        if not creates:
            raise SetupError(
                f"the user {self._parts['user']} at {where} may not create databases",
                next_step=f"as a superuser run there: ALTER ROLE {_quoted(self._parts['user'])} CREATEDB",
            )

    def _without_secrets(self, text: str) -> str:
        secrets = [value for name, value in self._parts.items() if "password" in name]
        for secret in (*secrets, os.environ.get("PGPASSWORD", "")):
            if secret:
                text = text.replace(secret, "***")
        return " ".join(text.split())


def _quoted(name: str) -> str:
    return sql.Identifier(name).as_string(None)
