"""Runs that keep out of each other's way: of one runbook on one database there is one.

The connection of the ledger holds the lock of the runbook, alone, and shares that of the runner of
migrations. The session that runs the steps shares a second one: when its client is killed, PostgreSQL may
carry a statement on for a moment, and the next run waits for that.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import psycopg

from pgrehearse.execution.exclusion import RUNNER, Key, acquire

__all__ = ["LOCK_CLASS", "exclusive", "hold"]

#: Classes of advisory locks: "pgrr" for runs, "pgrs" for their sessions.
_RUN = 0x70677272
LOCK_CLASS = 0x70677273
#: Seconds to wait for another run, or for what is left of one that was killed.
_PATIENCE = 5.0
_WAIT = "wait until it has finished, then run this again"


def exclusive(connection: psycopg.Connection[Any], runbook: str, tell: Callable[[str], None]) -> None:
    """Keep other runs of ``runbook`` and runners of migrations away, as long as ``connection`` lives.

    Raises SetupError that names who is at work.
    """
    what = f"run of {runbook}"
    session = _key(LOCK_CLASS, runbook)
    acquire(connection, _key(_RUN, runbook), what, _PATIENCE, tell, _WAIT)
    acquire(connection, session, what, _PATIENCE, tell, _WAIT)
    connection.execute("SELECT pg_catalog.pg_advisory_unlock(%s, %s)", session)
    acquire(connection, RUNNER, "runner of migrations", _PATIENCE, tell, _WAIT, shared=True)


def hold(runbook: str) -> str:
    """The statement by which the session of a run shares its lock, again when a step gave it up."""
    group, number = _key(LOCK_CLASS, runbook)
    return (
        f"SELECT pg_catalog.pg_try_advisory_lock_shared({group}, {number}) WHERE NOT EXISTS ("
        "SELECT FROM pg_catalog.pg_locks AS l WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory'"
        f" AND l.classid::pg_catalog.int8 OPERATOR(pg_catalog.=) {group}"
        " AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid())"
    )


def _key(group: int, runbook: str) -> Key:
    return group, zlib.crc32(runbook.encode()) & 0x7FFFFFFF
