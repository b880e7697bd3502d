"""Requests that stand in line: they come while a step waits for its lock, and so wait until the step is done.

Nobody holds a lock between two steps. So a reader takes the table before a step. When the step waits for the
reader, a round of requests is sent, and the reader goes as soon as one of them waits as well. What waited
meets the table as the step leaves it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

from pgrehearse.connections import Connection, connect
from pgrehearse.measurement.zoo.habitat import APPLICATION, Habitat

__all__ = ["Line"]

#: Seconds between two looks.
_LOOK = 0.002
_WAITING = """
SELECT count(*) FILTER (WHERE application_name = 'pgrehearse main') > 0,
       count(*) FILTER (WHERE usename = %s) > 0
  FROM pg_catalog.pg_stat_activity
 WHERE datname = %s AND wait_event_type = 'Lock'
"""


class Line:
    """At ``table`` of the copy ``database``; ``sends`` sends a round of requests and waits for answers."""

    def __init__(self, habitat: Habitat, database: str, table: str, sends: Callable[[], None]) -> None:
        self._habitat, self._database, self._table, self._sends = habitat, database, table, sends
        self._over = threading.Event()
        self._watch: threading.Thread | None = None
        self._sent = False

    def open(self) -> None:
        """Before a step, when no transaction is open: a reader takes the table."""
        reader = connect(self._habitat.server.dsn(self._database))
        reader.execute(f"LOCK TABLE {self._table} IN ACCESS SHARE MODE".encode())
        self._over.clear()
        self._sent = False
        self._watch = threading.Thread(target=self._attend, args=(reader,))
        self._watch.start()

    def close(self) -> None:
        """After the step. A round that no wait of the step called for is sent now."""
        if self._watch is None:
            return
        self._over.set()
        self._watch.join()
        self._watch = None
        if not self._sent:
            self._sends()

    def _attend(self, reader: Connection) -> None:
        requests = threading.Thread(target=self._sends)
        with closing(reader), connect(self._habitat.server.dsn(), autocommit=True) as session:
            while not self._over.wait(_LOOK):
                rows = session.execute(_WAITING.encode(), [APPLICATION, self._database]).fetchall()
                step, request = rows[0]
                if step and not self._sent:
                    self._sent = True
                    requests.start()
                elif self._sent and (request or not requests.is_alive() or not step):
                    break
        if self._sent:
            requests.join()
