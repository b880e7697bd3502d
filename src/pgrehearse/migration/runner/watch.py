"""Watches a backend from a second connection: what it waits for, and how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import psycopg

from pgrehearse import queries

__all__ = ["Watch"]

#: Seconds between two looks; a shorter wait may go unseen.
_PAUSE = 0.02
#: Seconds between two messages.
_SAY = 2.0


class Watch:
    """A thread with a connection of its own. ``begin`` and ``end`` frame one statement of backend ``pid``.

    Args:
        conninfo: the database; the watcher only reads statistics.
        pid: the backend to watch.
        tell: called with a line about a statement that takes long.
        say: seconds between two such lines.
    """

    def __init__(self, conninfo: str, pid: int, tell: Callable[[str], None], say: float = _SAY) -> None:
        self._connection: psycopg.Connection[Any] = psycopg.connect(
            conninfo, autocommit=True, application_name="pgrehearse db watch"
        )
        self._pid = pid
        self._tell = tell
        self._say = say
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
        with suppress(psycopg.Error):  # the server went away: the runner notices by itself
            self._look_again_and_again()

    def _look_again_and_again(self) -> None:
        said, last, wal = 0.0, time.monotonic(), "0/0"
        watched: float | None = None
        while not self._stop.wait(_PAUSE):
            now = time.monotonic()
            with self._guard:
                since = self._since
            if since is not None:
                if since != watched:
                    watched, wal = since, self._wal()
                row = self._connection.execute(queries.text("progress"), [wal, self._pid]).fetchone()
                if row and row[0]:
                    self._add(since, now - max(last, since))
                if row and now - max(since, said) >= self._say:
                    self._tell(f"{now - since:.0f} s, {next(text for text in row[1:] if text)}")
                    said = now
            last = now

    def _add(self, since: float, seconds: float) -> None:
        with self._guard:
            if self._since == since:
                self._waited += seconds

    def _wal(self) -> str:
        row = self._connection.execute(
            "SELECT pg_catalog.pg_current_wal_insert_lsn()::pg_catalog.text"
        ).fetchone()
        assert row is not None
        return str(row[0])
