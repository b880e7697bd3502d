"""How far the standbys of a server are behind.

pg_stat_replication shows what a standby last reported: when it received something, which is before it has
replayed that, and every ten seconds. One that has caught up since goes on to be shown as far behind, so it is
made to report again before it is believed.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import psycopg

__all__ = ["behind", "visible_to"]

#: Seconds within which a standby that is not behind reports that it has replayed something.
_REPORT = 3.0
_PAUSE = 0.1
#: Of those that have something to replay.
_LAG = """
SELECT pg_catalog.max(replay_lag) FROM pg_catalog.pg_stat_replication
 WHERE replay_lsn < pg_catalog.pg_current_wal_lsn()
"""
#: Something that standbys receive, and report about.
_WRITE = "SELECT pg_catalog.pg_logical_emit_message(false, 'pgrehearse', 'report')"
_NOW = "SELECT pg_catalog.pg_current_wal_lsn()::pg_catalog.text"
_LEFT = """
SELECT pg_catalog.max(replay_lag) FROM pg_catalog.pg_stat_replication
 WHERE replay_lsn < %s::pg_catalog.text::pg_catalog.pg_lsn
"""
_VISIBLE = "SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')"


def behind(connection: psycopg.Connection[Any], limit: timedelta) -> timedelta | None:
    """The longest that any is behind; more than ``limit`` only of one that did not catch up. None: unknown.

    Takes up to three seconds. Raises psycopg.Error.
    """
    shown: timedelta | None = _one(connection, _LAG)
    if shown is None or shown <= limit:
        return shown
    position = _one(connection, _NOW)
    until = time.monotonic() + _REPORT
    while True:
        connection.execute(_WRITE)
        time.sleep(_PAUSE)
        left: timedelta | None = _one(connection, _LEFT, position)
        if left is None:
            return None
        if time.monotonic() > until:
            return max(left, shown)


def visible_to(connection: psycopg.Connection[Any]) -> bool:
    """Whether the role of ``connection`` may see how far standbys are."""
    return bool(_one(connection, _VISIBLE))


def _one(connection: psycopg.Connection[Any], query: str, *values: object) -> Any:
    row = connection.execute(query.encode(), values or None).fetchone()
    return row[0] if row else None
