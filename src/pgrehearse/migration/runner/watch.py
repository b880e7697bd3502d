"""Statements that are looked at from a second connection: what they wait for, and how far they are."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import psycopg
from psycopg.pq.abc import PGresult

from pgrehearse import queries
from pgrehearse.connections import connect
from pgrehearse.execution.polling import Polling, copies, refusal

__all__ = ["Watch"]

#: Seconds between two looks; a shorter wait may go unseen.
_PAUSE = 0.02
#: Seconds between two messages.
_SAY = 2.0
#: How long a look may take: what the statement has locked may be a catalog that the look reads.
_PATIENCE = "SET statement_timeout = '250ms'"


class Watch:
    """Runs statements on ``connection`` and looks at them from a connection of its own.

    Args:
        connection: in autocommit mode.
        conninfo: of the same database; the watcher only reads statistics.
        tell: called with a line about a statement that takes long.
        say: seconds between two such lines.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        conninfo: str,
        tell: Callable[[str], None],
        say: float = _SAY,
    ) -> None:
        self._connection = connection
        self._polling = Polling(connection.pgconn, self._take)
        self._pid = connection.info.backend_pid
        self._watcher: psycopg.Connection[Any] = connect(
            conninfo, autocommit=True, application_name="pgrehearse db watch"
        )
        self._watcher.execute(_PATIENCE)
        self._tell = tell
        self._say = say
        self._results: list[PGresult] = []
        #: seconds the last statement was seen waiting for a lock
        self.waited = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        with suppress(psycopg.Error):
            self._watcher.close()

    def run(self, sql: str) -> PGresult:
        """Run one statement to its end and return what came back. Raises psycopg.Error.

        An interrupt cancels it first.
        """
        self._results, self.waited = [], 0.0
        self._polling.send(sql)
        try:
            self._follow()
        except BaseException:
            self._polling.cancel()
            while not self._polling.poll(1.0):
                pass
            raise
        for result in self._results:
            if refusal(result):
                raise psycopg.errors.error_from_result(result)
            if copies(result):
                raise psycopg.ProgrammingError("COPY through the client cannot be run from a migration")
        if self._polling.lost:
            raise psycopg.OperationalError(self._polling.lost)
        return self._results[-1]

    def _take(self, result: PGresult) -> None:
        self._results.append(result)

    def _follow(self) -> None:
        since = said = last = time.monotonic()
        wal = ""
        while not self._polling.poll(_PAUSE):
            now = time.monotonic()
            with suppress(psycopg.Error):  # the watcher is gone, or may not look now: the statement goes on
                wal = wal or self._wal()
                row = self._watcher.execute(queries.text("progress"), [wal, self._pid]).fetchone()
                if row and row[0]:
                    self.waited += now - last
                if row and now - said >= self._say:
                    self._tell(f"{now - since:.0f} s, {next(text for text in row[1:] if text)}")
                    said = now
            last = now

    def _wal(self) -> str:
        row = self._watcher.execute(
            "SELECT pg_catalog.pg_current_wal_insert_lsn()::pg_catalog.text"
        ).fetchone()
        assert row is not None
        return str(row[0])
