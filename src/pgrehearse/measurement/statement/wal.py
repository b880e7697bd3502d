"""ACCESS EXCLUSIVE locks from the WAL: servers record them for standbys, also those taken without waiting."""

from __future__ import annotations

import re

from pgrehearse.measurement.statement.client import Client

__all__ = ["exclusive_locks", "position"]

_AVAILABLE = "SELECT EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'pg_walinspect')"
_LOCKS = """
SELECT description
  FROM pg_get_wal_records_info('0/0'::pg_catalog.pg_lsn + %s, pg_catalog.pg_current_wal_flush_lsn())
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

    Empty on a server without the extension pg_walinspect or with wal_level = minimal. Changes ``client``'s
    database: the extension is made there, after what is measured.
    """
    if not admin.rows(_AVAILABLE)[0][0]:
        return set()
    [(database,)] = client.rows(
        "SELECT oid::bigint FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()"
    )
    client.rows("CREATE EXTENSION IF NOT EXISTS pg_walinspect")  # its commit writes out what came before
    found: set[int] = set()
    for (description,) in client.rows(_LOCKS, (start,)):
        found |= {int(rel) for db, rel in _LOCK.findall(description or "") if int(db) == database}
    return found
