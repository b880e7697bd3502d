"""The connection a runner works with: direct to the server, and locked against a second runner.

The lock belongs to the session that runs the statements. When its client is killed, PostgreSQL carries a
build on to its end and only then lets go, so the next runner waits for the remains of the first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from pgrehearse.errors import SetupError

__all__ = ["LOCK", "connect", "direct", "locked"]

#: The key of the advisory lock: "pgre" and "hdb1" as numbers.
LOCK = (0x70677265, 0x68646231)
_APPLICATION = "pgrehearse db"
#: Seconds between two tries to get the lock.
_PAUSE = 0.2
#: Limits that a role or database may have for its applications; a migration takes as long as it takes.
_LIMITS = ("statement_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout", "lock_timeout")
#: Only the first words of its statement: the rest may hold a password.
_HOLDER = """
SELECT a.pid, a.usename, a.application_name, pg_catalog.to_char(a.query_start, 'HH24:MI:SS'),
       substring(a.query FROM '^[[:space:]]*([A-Za-z]+([[:space:]]+[A-Z]+){0,3})')
  FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_activity AS a USING (pid)
 WHERE l.locktype = 'advisory' AND l.classid = %s AND l.objid = %s AND l.granted
   AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
"""


def connect(conninfo: str) -> psycopg.Connection[Any]:
    """A direct connection in autocommit mode. Raises SetupError: unreachable, or behind a pooler."""
    try:
        connection = psycopg.connect(
            conninfo, autocommit=True, application_name=_APPLICATION, client_encoding="utf8"
        )
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise SetupError(f"the database cannot be reached: {reason}", next_step="check the DSN") from None
    connection.prepare_threshold = None
    try:
        direct(connection)
        reset(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def reset(connection: psycopg.Connection[Any]) -> None:
    """Put the session's settings back: one migration's SET must not reach the next."""
    connection.execute("RESET SESSION AUTHORIZATION")
    connection.execute("RESET ROLE")
    connection.execute("RESET ALL")
    limits = (*_LIMITS, "transaction_timeout") if connection.info.server_version >= 170000 else _LIMITS
    for limit in limits:
        connection.execute(SQL("SET {} = 0").format(Identifier(limit)))


def direct(connection: psycopg.Connection[Any]) -> None:
    """Raise SetupError when a pooler stands between this connection and the server.

    A pooler invents the process id it tells its client, so that canceling goes through it. Behind one, SET
    and advisory locks belong to a server connection that the next client gets.
    """
    row = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
    if row is None or row[0] != connection.info.backend_pid:
        raise SetupError(
            "refused: this connection goes through a pooler, where a lock held here would stay with others",
            next_step="give the address of PostgreSQL itself, usually port 5432 instead of the pooler's",
        )


@contextmanager
def locked(
    connection: psycopg.Connection[Any], patience: float, tell: Callable[[str], None]
) -> Iterator[None]:
    """Hold the lock of this database's runners; wait up to ``patience`` seconds for it.

    It is tried again and again instead of waited for: a statement that waits holds a snapshot, and
    CREATE INDEX CONCURRENTLY would wait for that. Raises SetupError that names the holder.
    """
    _acquire(connection, patience, tell)
    try:
        yield
    finally:
        with suppress(psycopg.Error):
            connection.execute("SELECT pg_catalog.pg_advisory_unlock(%s, %s)", LOCK)


def _acquire(connection: psycopg.Connection[Any], patience: float, tell: Callable[[str], None]) -> None:
    limit = time.monotonic() + patience
    told = False
    while True:
        row = connection.execute("SELECT pg_catalog.pg_try_advisory_lock(%s, %s)", LOCK).fetchone()
        if row is not None and row[0]:
            return
        said = _holder(connection)
        if time.monotonic() >= limit:
            raise SetupError(
                said, next_step="wait until it has finished, then run this again; or give --wait more seconds"
            )
        if not told:
            tell(f"{said}; waiting up to {patience:.0f} s")
            told = True
        time.sleep(_PAUSE)


def _holder(connection: psycopg.Connection[Any]) -> str:
    row = connection.execute(_HOLDER, LOCK).fetchone()
    if row is None:
        return "another runner was at work"
    pid, user, application, since, words = row
    who = ", ".join(f"{what} {value}" for what, value in (("user", user), ("as", application)) if value)
    doing = f", since {since}: {words} ..." if since and words else ""
    return f"another runner is at work: pid {pid}{', ' if who else ''}{who}{doing}"
