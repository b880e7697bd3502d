"""Advisory locks by which runners and runs keep out of each other's way, and who holds one.

They are tried again and again instead of waited for: a statement that waits holds a snapshot, and a
concurrent build would wait for that.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg

from pgrehearse.errors import SetupError

__all__ = ["RUNNER", "Held", "Key", "acquire", "holder"]

#: Class and object of an advisory lock.
Key = tuple[int, int]
#: What a runner of migrations holds: "pgre" and "hdb1" as numbers. Runs of runbooks share it.
RUNNER: Key = (0x70677265, 0x68646231)
#: Seconds between two tries to get the lock.
_PAUSE = 0.2
#: Only the first words of its statement: the rest may hold a password.
_HOLDER = """
SELECT a.pid, a.usename, a.application_name, pg_catalog.to_char(a.query_start, 'HH24:MI:SS'),
       substring(a.query FROM '^[[:space:]]*([A-Za-z]+([[:space:]]+[A-Z]+){0,3})')
  FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_activity AS a USING (pid)
 WHERE l.locktype = 'advisory' AND l.classid = %s AND l.objid = %s AND l.granted
   AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
   AND l.pid <> pg_catalog.pg_backend_pid()
"""


class Held(SetupError):
    """Somebody else has the lock."""


def acquire(
    connection: psycopg.Connection[Any],
    key: Key,
    what: str,
    patience: float,
    tell: Callable[[str], None],
    next_step: str,
    *,
    shared: bool = False,
) -> None:
    """Take the lock ``key`` for the session of ``connection``; wait up to ``patience`` seconds for it.

    Raises Held that names the holder, who is called another ``what``.
    """
    question = f"SELECT pg_catalog.pg_try_advisory_lock{'_shared' if shared else ''}(%s, %s)"
    limit = time.monotonic() + patience
    told = False
    while True:
        row = connection.execute(question.encode(), key).fetchone()
        if row is not None and row[0]:
            return
        said = holder(connection, key, what) or f"another {what} was at work"
        if time.monotonic() >= limit:
            raise Held(said, next_step=next_step)
        if not told:
            tell(f"{said}; waiting up to {patience:.0f} s")
            told = True
        time.sleep(_PAUSE)


def holder(connection: psycopg.Connection[Any], key: Key, what: str) -> str | None:
    """Who holds the lock ``key`` in another session of this database, in words; None: nobody does."""
    row = connection.execute(_HOLDER, key).fetchone()
    if row is None:
        return None
    pid, user, application, since, words = row
    who = ", ".join(f"{what} {value}" for what, value in (("user", user), ("as", application)) if value)
    doing = f", since {since}: {words} ..." if since and words else ""
    return f"another {what} is at work: pid {pid}{', ' if who else ''}{who}{doing}"
