"""One statement at a time on a libpq connection, without blocking us: sent, looked at, canceled.

Written on libpq's non-blocking calls instead of threads: while a statement waits for a lock, the caller
watches it, asks another connection who blocks it, and goes on with others.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGconn, PGresult

from pgrehearse.errors import DocumentError

__all__ = ["Polling", "Refusal", "copies", "refusal"]

_COPY = (ExecStatus.COPY_IN, ExecStatus.COPY_OUT, ExecStatus.COPY_BOTH)


@dataclass(frozen=True)
class Refusal:
    """An error the server answered with. ``text`` is what psql prints.

    Attributes:
        position: of the character it is about, from 1; 0 when it is about none.
        fatal: the server closes the connection after it.
        interrupted: a limit or a cancellation ended what ran or waited. NOWAIT did not wait.
    """

    sqlstate: str
    text: str
    position: int
    fatal: bool
    interrupted: bool


def refusal(result: PGresult) -> Refusal | None:
    """The error that ``result`` is; None for any other."""
    if result.status not in (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE):
        return None
    sqlstate = result.error_field(DiagnosticField.SQLSTATE)
    position = result.error_field(DiagnosticField.STATEMENT_POSITION)
    severity = result.error_field(DiagnosticField.SEVERITY_NONLOCALIZED)
    return Refusal(
        sqlstate.decode() if sqlstate else "",
        result.error_message.decode("utf-8", "replace").rstrip(),
        int(position) if position else 0,
        not sqlstate or severity in (b"FATAL", b"PANIC"),
        result.error_field(DiagnosticField.SOURCE_FUNCTION) == b"ProcessInterrupts",
    )


def copies(result: PGresult) -> bool:
    """Whether a COPY now wants rows of the client, or has some for it."""
    return result.status in _COPY


class Polling:
    """Sends statements on ``pgconn``, which is in non-blocking mode, and hands over what comes back.

    Args:
        take: called with each result in order. A COPY through the client ends the connection after that.
    """

    def __init__(self, pgconn: PGconn, take: Callable[[PGresult], None]) -> None:
        self._pgconn = pgconn
        self._take = take
        #: a statement is under way
        self.busy = False
        #: why the connection is gone: the server crashed, or somebody terminated the backend
        self.lost = ""

    def send(self, sql: str, *, single: bool = False) -> None:
        """Send ``sql`` as one message and return at once. ``single``: as one statement, no more.

        Raises DocumentError: libpq would lose a part of it.
        """
        if "\0" in sql:
            raise DocumentError("a statement holds U+0000 NUL", next_step="take the character out")
        self.busy = True
        try:
            if single:
                self._pgconn.send_query_params(sql.encode(), None)
            else:
                self._pgconn.send_query(sql.encode())
        except psycopg.OperationalError as error:
            self._lose(error)

    def sent(self, seconds: float) -> bool:
        """Send for up to ``seconds``. Returns whether the server has all of it, or the connection is gone."""
        try:
            if self.busy and self._pgconn.flush():
                select.select([], [self._pgconn.socket], [], seconds)
                return False
        except psycopg.OperationalError as error:
            self._lose(error)
        return True

    def poll(self, seconds: float) -> bool:
        """Work for up to ``seconds``, less when there is news. Returns whether the statement has ended."""
        link = self._pgconn
        try:
            while self.busy and link.flush():
                select.select([], [link.socket], [], seconds)
            if self.busy and link.is_busy() and select.select([link.socket], [], [], seconds)[0]:
                link.consume_input()
            while self.busy and not link.is_busy():
                result = link.get_result()
                if result is None:
                    self.busy = False
                else:
                    self._take(result)
                    if copies(result):
                        link.finish()
        except psycopg.OperationalError as error:
            self._lose(error)
        return not self.busy

    def cancel(self) -> None:
        """Ask the server to cancel the statement under way; it answers with SQLSTATE 57014."""
        if self.busy:
            with suppress(psycopg.OperationalError):  # the server is gone, so nothing runs
                self._pgconn.get_cancel().cancel()

    def _lose(self, error: psycopg.OperationalError) -> None:
        self.busy, self.lost = False, str(error).strip() or "the connection was lost"
