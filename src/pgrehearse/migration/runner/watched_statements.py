"""Statements that are looked at from a second connection: what they wait for, and how far they are."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import psycopg
from psycopg.pq.abc import PGresult

from pgrehearse import queries
from pgrehearse.connections import Opening
from pgrehearse.execution.polling import Polling, copies, refusal

__all__ = ["PAUSE", "StatementWatch"]

#: Seconds between two looks; a shorter wait may go unseen.
PAUSE = 0.02
#: Seconds between two messages.
_SAY = 2.0
#: How long a look may take: what the statement has locked may be a catalog that the look reads.
_PATIENCE = "SET statement_timeout = '250ms'"


class StatementWatch:
    """Runs statements on ``connection`` and looks at them from a connection of its own.

    That one is opened at the first look, so what is short needs none.

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
        self._watcher = Opening(conninfo, "pgrehearse db watch", _PATIENCE)
        self._tell = tell
        self._say = say
        self._results: list[PGresult] = []
        #: when a wait for a lock was seen, by the server's clock, and for how many seconds until then
        self.waits: list[tuple[float, float]] = []
        self.begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._watcher.close()

    def run(self, sql: str, meanwhile: Callable[[], None] | None = None) -> PGresult:
        """Run one statement to its end and return what came back. Raises psycopg.Error.

        An interrupt cancels it first. ``meanwhile`` is called once when the server has the statement.
        """
        self._results = []
        self.begin()
        self._polling.send(sql)
        try:
            if meanwhile is not None:
                while not self._polling.sent(PAUSE):
                    pass
                meanwhile()
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

    @property
    def waited(self) -> float:
        """Seconds that waits for locks were seen since `begin`."""
        return sum(seconds for _, seconds in self.waits)

    def begin(self) -> None:
        """From now on something else is under way."""
        self.waits.clear()
        self._since = self._said = self._looked = time.monotonic()
        self._wal_before = ""

    def look(self) -> None:
        """Look at what is under way, if the last look is long enough ago."""
        now = time.monotonic()
        if now - self._looked < PAUSE:
            return
        with suppress(psycopg.Error):  # the watcher is gone, or may not look now: the statement goes on
            if (watcher := self._watcher.opened(PAUSE)) is None:
                return
            self._look(watcher, now)
        self._looked = now

    def _look(self, watcher: psycopg.Connection[Any], now: float) -> None:
        before = self._wal_before = self._wal_before or _wal(watcher)
        row = watcher.execute(queries.text("progress"), [before, self._pid]).fetchone()
        if row and row[1]:
            self.waits.append((row[0], min(now - self._looked, row[1])))
        if row and now - self._said >= self._say:
            self._tell(f"{now - self._since:.0f} s, {next(text for text in row[2:] if text)}")
            self._said = now

    def _follow(self) -> None:
        while not self._polling.poll(PAUSE):
            self.look()


def _wal(watcher: psycopg.Connection[Any]) -> str:
    row = watcher.execute("SELECT pg_catalog.pg_current_wal_insert_lsn()::pg_catalog.text").fetchone()
    assert row is not None
    return str(row[0])
