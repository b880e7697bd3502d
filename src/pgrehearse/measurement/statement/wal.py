"""ACCESS EXCLUSIVE locks from the WAL: servers record them for standbys, also those taken without waiting."""

from __future__ import annotations

import re

import psycopg

from pgrehearse.measurement.statement.client import Client

__all__ = ["exclusive_locks", "position"]

_AVAILABLE = "SELECT EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'pg_walinspect')"
#: Its commit writes out what came before.
_FLUSH = "SELECT pg_catalog.pg_logical_emit_message(true, 'pgrehearse', '')"
#: In a schema of our own: where the watcher is, a function of that name may be somebody's.
_READER = "CREATE SCHEMA pgrehearse_wal; CREATE EXTENSION pg_walinspect SCHEMA pgrehearse_wal"
_LOCKS = """
SELECT description
  FROM pgrehearse_wal.pg_get_wal_records_info(
       '0/0'::pg_catalog.pg_lsn + %s, pg_catalog.pg_current_wal_flush_lsn())
 WHERE resource_manager = 'Standby' AND record_type = 'LOCK'
"""
_LOCK = re.compile(r"\bdb (\d+) rel (\d+)")


def position(admin: Client) -> int:
    """Where the WAL ends now, in bytes from its beginning."""
    [(bytes_written,)] = admin.rows(
        "SELECT (pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog.pg_lsn)::bigint"
    )
    return int(bytes_written)


def exclusive_locks(admin: Client, client: Client, start: int) -> set[int]:
    """Relations of ``client``'s database locked in ACCESS EXCLUSIVE mode since ``start``, by oid.

    Empty on a server without the extension pg_walinspect, for a role that may not make it, or with
    wal_level = minimal. It is made in ``admin``'s database, where all WAL can be read; it does not stay.
    """
    if not admin.rows(_AVAILABLE)[0][0]:
        return set()
    [(database,)] = client.rows(
        "SELECT oid::bigint FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()"
    )
    admin.rows(_FLUSH)
    found: set[int] = set()
    admin.rows("BEGIN")
    try:
        admin.rows(_READER)
        for (description,) in admin.rows(_LOCKS, (start,)):
            found |= {int(rel) for db, rel in _LOCK.findall(description or "") if int(db) == database}
    except psycopg.errors.InsufficientPrivilege:
        pass
    finally:
        admin.rows("ROLLBACK")
    return found
