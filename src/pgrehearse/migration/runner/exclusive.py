"""The connection a runner works with: direct to the server, and locked against a second runner.

The lock belongs to the session that runs the statements, and ends with it. When its client is killed,
PostgreSQL notices within a second, or at the end of what it cannot break off, such as a COMMIT that waits for
a standby. Until then the lock is held, so the next runner waits for the remains of the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from pgrehearse import connections
from pgrehearse.environments.direct import direct, unreachable
from pgrehearse.errors import SetupError
from pgrehearse.execution.exclusion import RUNNER, acquire
from pgrehearse.migration.runner.own_session import ours

__all__ = [
    "APPLICATION",
    "READS",
    "connect",
    "locked",
    "locked_still",
    "prepare",
    "reset",
    "unlike",
    "unreadable",
]

#: What the runner's session is called.
APPLICATION = "pgrehearse db"
#: Whatever a session has set is gone; nor do limits count that a role or database may have for its
#: applications: a migration takes as long as it takes.
_ALWAYS = """
RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; SET statement_timeout = 0; SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0; SET idle_session_timeout = 0
"""
#: What the server must say of these, whose changes it reports at once.
READS = {"client_encoding": b"UTF8", "standard_conforming_strings": b"on"}
#: By these the server notices that its client is gone: at once where the connection was closed, after a
#: minute where the client's machine vanished without a word.
_NOTICES = (
    "SET client_connection_check_interval = '1s'",
    "SET tcp_keepalives_idle = '30s'",
    "SET tcp_keepalives_interval = '10s'",
    "SET tcp_keepalives_count = 3",
)
#: Whether this session holds the lock.
_HELD = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_locks
                WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND pid = pg_backend_pid()
                  AND mode = 'ExclusiveLock' AND granted)
"""


def connect(conninfo: str) -> psycopg.Connection[Any]:
    """A direct connection in autocommit mode. Raises SetupError: unreachable, or behind a pooler."""
    try:
        connection = connections.connect(conninfo, autocommit=True, application_name=APPLICATION)
    except psycopg.Error as error:
        raise unreachable(error) from None
    try:
        prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def prepare(connection: connections.Connection) -> None:
    """Make a connection in autocommit mode one that a runner can work with.

    Raises SetupError: it goes through a pooler, or files would be read or carried out differently there.
    """
    connection.prepare_threshold = None
    direct(connection)
    reset(connection)
    if found := unreadable(connection):
        raise SetupError(
            f"refused: {found} by the role or the database, so files would be read differently here",
            next_step="ALTER ROLE ... or ALTER DATABASE ... RESET that setting",
        )
    row = connection.execute("SELECT pg_catalog.current_setting('session_replication_role')").fetchone()
    if row is not None and row[0] == "replica":
        raise SetupError(
            "refused: session_replication_role is replica by the role, the database or PGOPTIONS, so foreign"
            " keys and triggers would not be obeyed",
            next_step="RESET that setting; a migration that means it says SET LOCAL itself",
        )


def unreadable(connection: psycopg.Connection[Any]) -> str:
    """The setting by which the server reads a file otherwise than we split and send it; empty for none."""
    return unlike([(connection.info.parameter_status(name) or "").encode() for name in READS])


def unlike(values: Sequence[bytes | None]) -> str:
    """The first of ``values`` that is not the one of `READS`, in words; empty for none."""
    for (name, value), now in zip(READS.items(), values, strict=True):
        if now != value:
            return f"{name} is {(now or b'').decode()}"
    return ""


def reset(connection: psycopg.Connection[Any]) -> None:
    """Put the session's settings back: one migration's SET must not reach the next."""
    late = "; SET transaction_timeout = 0" if connection.info.server_version >= 170000 else ""
    always = f"{_ALWAYS}{late}"
    try:  # one message, all of it or nothing
        connection.execute("; ".join([always, *_NOTICES]).encode())
    except psycopg.errors.InvalidParameterValue:
        connection.execute(always.encode())
        for notice in _NOTICES:
            with suppress(psycopg.errors.InvalidParameterValue):  # the server's system cannot tell
                connection.execute(notice.encode())


@contextmanager
def locked(
    connection: psycopg.Connection[Any], patience: float, tell: Callable[[str], None]
) -> Iterator[None]:
    """Hold the lock of this database's runners; wait up to ``patience`` seconds for it.

    Raises SetupError that names the holder.
    """
    acquire(
        connection,
        RUNNER,
        "runner",
        patience,
        tell,
        "wait until it has finished, then run this again; or give --wait more seconds",
    )
    try:
        yield
    finally:
        with suppress(psycopg.Error):
            connection.execute("SELECT pg_catalog.pg_advisory_unlock_all()")


def locked_still(connection: psycopg.Connection[Any]) -> bool:
    """Whether the lock was held all along; where a statement gave it up, it is taken again.

    Raises SetupError: another runner has it now.
    """
    with ours(connection):
        row = connection.execute(_HELD, RUNNER).fetchone()
    if row is not None and row[0]:
        return True
    row = connection.execute("SELECT pg_catalog.pg_try_advisory_lock(%s, %s)", RUNNER).fetchone()
    if row is None or not row[0]:
        raise SetupError(
            "refused: a statement gave up the lock that keeps a second runner away, and one has it now",
            next_step="take pg_advisory_unlock_all() out of what the statement calls; then look with"
            " pgrehearse db status what the other runner did",
        )
    return False
