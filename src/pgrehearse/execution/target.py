"""The database an operator points at: named on purpose, marked with its environment, or refused.

A database says what it is in a setting of its own, ``pgrehearse.environment``. The setting lives in the
cluster's catalogs, not in the data: a dump of production restored on staging does not carry it along.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Conninfo

from pgrehearse.errors import SetupError

__all__ = ["ENVIRONMENTS", "Target", "open_target"]

#: What a database may call itself, safest first.
ENVIRONMENTS = ("disposable", "test", "development", "staging", "production")

_QUESTION = """
SELECT current_setting('pgrehearse.environment', true), current_setting('server_version'),
       current_setting('server_version_num')::int, current_database(), current_user, pg_is_in_recovery()
"""


@dataclass(frozen=True)
class Target:
    """A database that may be worked on. ``conninfo`` may hold a password: connect with it, never print it."""

    conninfo: str = field(repr=False)
    environment: str
    major: int
    version: str
    database: str
    user: str
    where: str

    def libpq_environment(self) -> dict[str, str]:
        """libpq's variables for child processes, the password among them: never print it."""
        given = conninfo_to_dict(self.conninfo)
        variables = {
            option.keyword.decode(): option.envvar.decode()
            for option in Conninfo.get_defaults()
            if option.envvar
        }
        return {variables[key]: str(value) for key, value in given.items() if value and key in variables}

    def __str__(self) -> str:
        server = f"PostgreSQL {self.version}"
        return f"{self.database} ({self.environment}) on {self.where} as {self.user}, {server}"


def open_target(dsn: str | None) -> Target:
    """Look at the database named by ``dsn`` or libpq's environment, and refuse what must be refused.

    Raises SetupError: nothing names a database, it cannot be reached, it is a standby, or it carries no
    environment.
    """
    if not dsn and not any(os.environ.get(name) for name in ("PGDATABASE", "PGSERVICE")):
        raise SetupError(
            "no database is named", next_step="give --dsn, or set PGDATABASE and PGHOST, or PGSERVICE"
        )
    try:
        conninfo = make_conninfo(dsn or "", connect_timeout=10)
        with psycopg.connect(conninfo, autocommit=True, application_name="pgrehearse") as connection:
            row = connection.execute(_QUESTION).fetchone()
            where = f"{connection.info.host or 'local socket'}:{connection.info.port}"
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise SetupError(f"the database cannot be reached: {reason}", next_step="check the DSN") from None
    assert row is not None
    environment, version, number, database, user, standby = row
    if standby:
        raise SetupError(f"{database} is a standby", next_step="connect to the primary")
    return Target(
        conninfo,
        _environment(environment, database),
        number // 10000,
        version.split()[0],
        database,
        user,
        where,
    )


def _environment(value: str | None, database: str) -> str:
    if value in ENVIRONMENTS:
        return str(value)
    name = psycopg.sql.Identifier(database).as_string()
    said = f"calls its environment {value!r}" if value else "does not say which environment it is"
    raise SetupError(
        f"refused: database {database!r} {said}",
        next_step=f"as its owner, once: ALTER DATABASE {name} SET pgrehearse.environment = 'staging'; "
        f"(one of {', '.join(ENVIRONMENTS)})",
    )
