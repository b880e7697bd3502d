"""Whether a bash cell changed anything on the server of its document, besides files in its folder.

One that did not, such as a linter, need not run again for the cells after it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import psycopg

from pgrehearse.connections import connect

__all__ = ["Trace", "take"]

#: Acts that take no transaction id, so that `_SERVER` does not show them; and SQL in a file we do not read.
_UNSEEN = re.compile(
    r"vacuum|alter\s+system|slot|pg_stat_reset|pg_reload_conf|pg_ctl|psql\b[^\n]*(?:\s-\w*f|--file|<)|\\i",
    re.I,
)
#: The next transaction id, where each sequence stands, who is at work, and who is connected.
_SERVER = """
SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text,
       (SELECT pg_catalog.array_agg(ROW (schemaname, sequencename, last_value)::text ORDER BY 1)
          FROM pg_catalog.pg_sequences),
       (SELECT pg_catalog.array_agg(pid ORDER BY pid) FROM clients WHERE state <> 'idle'),
       (SELECT pg_catalog.array_agg(pid) FROM clients WHERE datname = pg_catalog.current_database())
"""
#: A backend goes a few ms after its client: that of the trace before is nobody who was sent away.
_NAME = "pgrehearse trace"
_CLIENTS = f"""
WITH clients AS (
  SELECT pid, state, datname FROM pg_catalog.pg_stat_activity
   WHERE backend_type = 'client backend' AND application_name <> '{_NAME}'
)
"""


@dataclass(frozen=True)
class Trace:
    """The state of the server at one moment, and who was connected to the document's database."""

    server: tuple[object, ...]
    connected: frozenset[int]

    def unchanged(self, after: Trace | None, source: str) -> bool:
        """Whether the cell with this ``source`` left all as it was, and everybody connected."""
        return (
            after is not None
            and self.server == after.server
            and self.connected <= after.connected
            and _UNSEEN.search(source) is None
        )


def take(conninfo: str) -> Trace | None:
    """The present state; None when the server does not tell."""
    try:
        # Not kept open: a cell may copy or rename the database.
        with connect(conninfo, autocommit=True, application_name=_NAME) as connection:
            row = connection.execute(_CLIENTS + _SERVER).fetchone()
    except psycopg.Error:
        return None
    assert row is not None
    return Trace(tuple(row[:3]), frozenset(row[3] or ()))
