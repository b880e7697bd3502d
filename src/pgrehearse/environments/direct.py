"""A connection to the server itself: what needs a session refuses a pooler, for it would belong to others."""

from __future__ import annotations

import time

import psycopg

from pgrehearse.connections import Connection
from pgrehearse.errors import SetupError, first_line

__all__ = ["direct", "remedy", "unreachable"]

#: Which server process answers, how many microseconds it lives, and where the server listens. Each name is
#: qualified: behind a pooler somebody else's search_path may be in force. A fraction would be rounded as
#: extra_float_digits says, to one digit where that is -15.
_QUESTION = b"""
SELECT pg_catalog.pg_backend_pid(),
       (1000000 OPERATOR(pg_catalog.*) EXTRACT(
           epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) s.backend_start))::pg_catalog.int8,
       pg_catalog.host(pg_catalog.inet_server_addr()), pg_catalog.current_setting('port')
  FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) AS s
"""
#: The same where the view of activity is closed to this role: no age then.
_LESS = b"""
SELECT pg_catalog.pg_backend_pid(), NULL, pg_catalog.host(pg_catalog.inet_server_addr()),
       pg_catalog.current_setting('port')
"""
#: How much faster the server's clock may run than ours: chrony corrects by up to 83 ms in a second.
_FASTER = 1.1
_POOLED = (
    "refused: this connection goes through a pooler, where settings and locks made here would stay"
    " with others"
)
_NEXT = "give the address of PostgreSQL itself, usually port 5432 instead of the pooler's"
_POOLERS = f"a pooler says this; {_NEXT}"
_FULL = "close connections that nobody uses, see pg_stat_activity, or try again later"
_SECRET = "put the password into PGPASSWORD or the password file, and check the role"  # noqa: S105 - no password
_NOBODY = "check that the server runs, and host and port of the DSN"
#: What to do about a refusal, by words of it; PostgreSQL uses none of those of poolers. For other words, such
#: as another language's, `unreachable` has one step.
_REMEDIES = {
    "unsupported startup parameter": _POOLERS,
    "server_login_retry": _POOLERS,
    "query_wait_timeout": _POOLERS,
    "the database system is ": "wait until it takes connections; its log says what it does",
    "too many clients": _FULL,
    "connection slots": _FULL,
    "too many connections": _FULL,
    "no password supplied": _SECRET,
    "password authentication failed": _SECRET,
    "Connection refused": _NOBODY,
    "No such file or directory": _NOBODY,
    "could not translate host name": _NOBODY,
    "failed to resolve host": _NOBODY,
    "timeout expired": _NOBODY,
}


def direct(connection: Connection) -> None:
    """Raise SetupError when a pooler stands between ``connection``, in autocommit mode, and the server.

    Behind one, SET, temporary objects and advisory locks belong to a server connection that the next client
    gets. Most poolers invent the process id they tell their client, so that canceling goes through them. One
    that tells the true id shows by its age: the process is older than this connection. What only forwards
    bytes does neither. The first client of a pool that was empty is as if alone; the next one shows it.
    """
    try:
        try:
            row = connection.execute(_QUESTION).fetchone()
        except psycopg.errors.InsufficientPrivilege:
            row = connection.execute(_LESS).fetchone()
    except psycopg.Error as error:
        if "/bouncer" not in (connection.info.parameter_status("server_version") or ""):
            raise
        # PgBouncer's console, which knows no SELECT
        raise SetupError(_POOLED, next_step=_NEXT) from error
    elapsed = time.monotonic() - connection.begun
    assert row is not None
    pid, age, address, port = row  # no age where the role may not see it
    if pid != connection.info.backend_pid or (age or 0) / 1e6 > elapsed * _FASTER:
        where = f"it calls itself {address}, port {port}" if address else f"its port is {port}"
        raise SetupError(_POOLED, next_step=f"{_NEXT}; {where}")


def remedy(said: str) -> str:
    """What to do about a connection that was refused with these words; empty for others."""
    return next((step for words, step in _REMEDIES.items() if words in said), "")


def unreachable(error: psycopg.Error) -> SetupError:
    """What is said of a database that ``error`` keeps away; a pooler that refused is called one."""
    return SetupError(
        f"the database cannot be reached: {first_line(error)}",
        next_step=remedy(str(error)) or "check the DSN, and the settings of its role",
    )
