"""Watches a backend from a second connection: what it waits for, and how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import psycopg

__all__ = ["Watch"]

#: Seconds between two looks; a shorter wait may go unseen.
_PAUSE = 0.02
#: Seconds between two messages.
_SAY = 2.0
_LOOK = """
SELECT a.wait_event_type = 'Lock',
       CASE WHEN a.wait_event_type = 'Lock' THEN (
           SELECT 'waiting for a lock held by pid ' || string_agg(pid::text, ', ')
             FROM unnest(pg_blocking_pids(a.pid)) AS pid) END,
       (SELECT format('%%s: %%s of %%s blocks', phase, blocks_done, blocks_total)
          FROM pg_stat_progress_create_index WHERE pid = a.pid AND blocks_total > 0),
       (SELECT format('%%s: waits for transaction of pid %%s', phase, current_locker_pid)
          FROM pg_stat_progress_create_index WHERE pid = a.pid AND current_locker_pid > 0),
       (SELECT format('%%s: %%s of %%s blocks', phase, heap_blks_scanned, heap_blks_total)
          FROM pg_stat_progress_vacuum WHERE pid = a.pid),
       (SELECT format('%%s: %%s of %%s blocks', phase, heap_blks_scanned, heap_blks_total)
          FROM pg_stat_progress_cluster WHERE pid = a.pid)
  FROM pg_stat_activity AS a WHERE a.pid = %s
"""


class Watch:
    """A thread with a connection of its own. ``begin`` and ``end`` frame one statement of backend ``pid``.

    Args:
        conninfo: the database; the watcher only reads statistics.
        pid: the backend to watch.
        tell: called with a line about a statement that takes long.
    """

    def __init__(self, conninfo: str, pid: int, tell: Callable[[str], None]) -> None:
        self._connection: psycopg.Connection[Any] = psycopg.connect(
            conninfo, autocommit=True, application_name="pgrehearse db watch"
        )
        self._pid = pid
        self._tell = tell
        self._guard = threading.Lock()
        self._since: float | None = None
        self._waited = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join(5)
        with suppress(psycopg.Error):
            self._connection.close()

    def begin(self) -> None:
        """A statement starts now."""
        with self._guard:
            self._since, self._waited = time.monotonic(), 0.0

    def end(self) -> float:
        """The statement has ended; seconds it was seen waiting for a lock."""
        with self._guard:
            self._since = None
            return self._waited

    def _run(self) -> None:
        said, last = 0.0, time.monotonic()
        with suppress(psycopg.Error):  # the server went away: the runner notices by itself
            while not self._stop.wait(_PAUSE):
                now = time.monotonic()
                with self._guard:
                    since = self._since
                if since is not None:
                    row = self._connection.execute(_LOOK, [self._pid]).fetchone()
                    with self._guard:
                        if row and row[0] and self._since == since:
                            self._waited += now - max(last, since)
                    about = next((text for text in row[1:] if text), "") if row else ""
                    if now - max(since, said) >= _SAY and about:
                        self._tell(f"{now - since:.0f} s, {about}")
                        said = now
                last = now
