"""What runs make on a server of others: named after the run, claimed by a lock, dropped when nobody does.

A run that was killed drops nothing. Its lock ended with its sessions, so the next run knows that what bears
that name is nobody's. A database stays that somebody is connected to, or has commented or marked otherwise.
"""

from __future__ import annotations

import itertools
import logging
import re
import secrets
from collections import defaultdict
from contextlib import suppress
from functools import cache

import psycopg
from psycopg.sql import SQL, Identifier

from pgrehearse.connections import connect
from pgrehearse.servers.base import Server

__all__ = ["CLAIM", "KEPT", "NAMES", "new_name", "sweep"]

_log = logging.getLogger(__name__)
#: The number of this run: half of the lock's key, and part of every name.
_RUN = secrets.randbelow(2**31)
#: Class of the advisory locks: "pgrd".
_CLASS = 0x70677264
#: Names of what runs make, as PostgreSQL and Python read a regular expression.
NAMES = "^pgrehearse_r([0-7][0-9a-f]{7})_[0-9]+(_|$)"
#: What the comment of a database says that outlives its run.
KEPT = "Kept by pgrehearse after a failure."
#: Says, for as long as the session lives, that what bears our name is not left behind. To be sent once.
CLAIM = f"SET idle_session_timeout = 0; SELECT pg_catalog.pg_advisory_lock_shared({_CLASS}, {_RUN})"
_FOUND = """
SELECT d.datname::pg_catalog.text, true
  FROM pg_catalog.pg_database AS d
  LEFT JOIN pg_catalog.pg_db_role_setting AS s ON s.setdatabase = d.oid AND s.setrole = 0
 WHERE d.datname ~ %(names)s
   AND COALESCE(pg_catalog.shobj_description(d.oid, 'pg_database'), %(comment)s) = %(comment)s
   AND COALESCE(s.setconfig, %(settings)s) = %(settings)s
UNION ALL
SELECT r.rolname::pg_catalog.text, false FROM pg_catalog.pg_roles AS r WHERE r.rolname ~ %(names)s
"""
_AS_MADE = {
    "names": NAMES,
    "comment": "[pgrehearse.environment=disposable]",
    "settings": ["pgrehearse.environment=disposable"],
}
_numbers = itertools.count(1)


def new_name(hint: str = "") -> str:
    """A name for a database or role, which ``hint`` makes readable."""
    readable = re.sub(r"[^a-z0-9]+", "_", hint.lower()).strip("_")[:30]
    return f"pgrehearse_r{_RUN:08x}_{next(_numbers)}" + (f"_{readable}" if readable else "")


@cache
def sweep(server: Server) -> None:
    """Drop what runs left on ``server`` that were killed, once a process; what cannot be dropped stays."""
    with suppress(psycopg.Error), connect(server.dsn(), autocommit=True) as connection:
        found = connection.execute(_FOUND, _AS_MADE).fetchall()
        left: dict[int, list[tuple[str, bool]]] = defaultdict(list)
        for name, database in found:
            left[_run(name)].append((name, database))
        for run, things in left.items():
            key = [_CLASS, run]
            row = connection.execute("SELECT pg_catalog.pg_try_advisory_lock(%s, %s)", key).fetchone()
            if row is None or not row[0]:
                continue  # it lives
            gone = [name for name, database in things if _dropped(connection, name, database)]
            if gone:
                _log.warning("dropped what a killed run had left on the server: %s", ", ".join(gone))
            connection.execute("SELECT pg_catalog.pg_advisory_unlock(%s, %s)", key)


def _run(name: str) -> int:
    found = re.match(NAMES, name)
    assert found is not None
    return int(found[1], 16)


def _dropped(connection: psycopg.Connection[tuple[object, ...]], name: str, database: bool) -> bool:
    """Whether it is gone: neither in use nor somebody else's."""
    statements = ["DROP DATABASE IF EXISTS {}"] if database else ["DROP OWNED BY {}", "DROP ROLE {}"]
    try:
        for statement in statements:
            connection.execute(SQL(statement).format(Identifier(name)))
    except psycopg.Error:
        return False
    return True
