"""A named session: one connection that runs the statements of a cell, one message each, without blocking us.

Written on libpq's non-blocking calls instead of threads: while a statement waits for a lock, the caller
watches it, asks another connection who blocks it, and goes on with other sessions.
"""

from __future__ import annotations

import select
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, PGconn, TransactionStatus
from psycopg.pq.abc import PGresult

from pgrehearse.errors import SetupError
from pgrehearse.execution.psql_format import format_result

__all__ = ["Message", "Session", "StatementError"]

_COPY = (ExecStatus.COPY_IN, ExecStatus.COPY_OUT, ExecStatus.COPY_BOTH)


@dataclass(frozen=True)
class Message:
    """One message to the server: the SQL as sent, and its first line (1-based) in the cell's source."""

    sql: str
    line: int
    gexec: bool = False


@dataclass(frozen=True)
class StatementError:
    """An error a statement raised. ``text`` is what psql prints; ``line`` is in the cell's source."""

    sqlstate: str
    text: str
    line: int
    statement: str
    #: messages of the cell that were never sent because of it
    unsent: int
    #: the connection is gone: the server crashed, or somebody terminated the backend
    lost: bool = False


class Session:
    """One connection. ``start`` hands it messages, ``pump`` lets it work."""

    def __init__(self, name: str, conninfo: str) -> None:
        self.name = name
        self.pgconn = PGconn.connect(conninfo.encode())
        if self.pgconn.status != ConnStatus.OK:
            reason = self.pgconn.error_message.decode("utf-8", "replace").strip()
            self.pgconn.finish()
            raise SetupError(
                f"session {name} cannot connect: {reason}", next_step="check the server and the DSN"
            )
        self.pgconn.nonblocking = 1
        self.pgconn.notice_handler = self._notice
        self.pid = self.pgconn.backend_pid
        self.output: list[str] = []
        #: statements that \gexec generated and sent
        self.generated: list[str] = []
        self.error: StatementError | None = None
        #: (start, end) on the monotonic clock of every message, for the whole life of the session
        self.intervals: list[tuple[float, float]] = []
        self._waiting: deque[Message] = deque()
        self._current: Message | None = None
        self._generated: list[str] = []
        self._sent_at = 0.0

    def start(self, messages: list[Message]) -> None:
        """Begin with ``messages``; what earlier ones printed is forgotten."""
        assert self.finished, f"session {self.name} is still busy"
        self.output, self.generated, self.error = [], [], None
        self._waiting = deque(messages)
        self._next()

    @property
    def finished(self) -> bool:
        return self._current is None

    @property
    def current(self) -> Message | None:
        """The message under way."""
        return self._current

    @property
    def in_transaction(self) -> bool:
        return self.pgconn.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)

    def pump(self, seconds: float) -> bool:
        """Work for up to ``seconds``, less when there is news. Returns whether all messages are done."""
        if self._current is None:
            return True
        try:
            while self.pgconn.flush():
                select.select([], [self.pgconn.socket], [], seconds)
            readable, _, _ = select.select([self.pgconn.socket], [], [], seconds)
            if readable:
                self.pgconn.consume_input()
            while self._current is not None and not self.pgconn.is_busy():
                self._take(self.pgconn.get_result())
        except psycopg.OperationalError as lost:
            self._lose(str(lost))
        return self._current is None

    def cancel(self) -> None:
        """Ask the server to cancel the message under way; it answers with SQLSTATE 57014."""
        if self._current is not None:
            with suppress(psycopg.OperationalError):  # the server is gone, so nothing runs
                self.pgconn.get_cancel().cancel()

    def close(self) -> None:
        self.pgconn.finish()

    def _next(self) -> None:
        self._current = None
        if not self._waiting:
            return
        self._current = self._waiting.popleft()
        self._sent_at = time.monotonic()
        try:
            self.pgconn.send_query(self._current.sql.encode())
        except psycopg.OperationalError as lost:
            self._lose(str(lost))

    def _clock(self) -> None:
        self.intervals.append((self._sent_at, time.monotonic()))

    def _take(self, result: PGresult | None) -> None:
        current = self._current
        assert current is not None
        if result is None:
            self._clock()
            if self._generated:
                sent = [Message(sql, current.line) for sql in self._generated]
                self.generated += self._generated
                self._waiting.extendleft(reversed(sent))
                self._generated = []
            self._next()
        elif result.status in _COPY:
            self._fail(result, current, "COPY through the client cannot be run from a cell")
            self.close()
        elif result.status in (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE):
            self._fail(result, current, result.error_message.decode("utf-8", "replace").rstrip())
        elif current.gexec and result.status == ExecStatus.TUPLES_OK:
            cells = ((row, column) for row in range(result.ntuples) for column in range(result.nfields))
            values = (result.get_value(row, column) for row, column in cells)
            self._generated = [value.decode() for value in values if value is not None]
        elif text := format_result(result):
            self.output.append(text)

    def _fail(self, result: PGresult, current: Message, text: str) -> None:
        sqlstate = result.error_field(DiagnosticField.SQLSTATE)
        position = result.error_field(DiagnosticField.STATEMENT_POSITION)
        before = current.sql[: int(position) - 1].count("\n") if position else 0
        state = sqlstate.decode() if sqlstate else ""
        severity = result.error_field(DiagnosticField.SEVERITY_NONLOCALIZED)
        lost = not state or severity in (b"FATAL", b"PANIC")  # after these the server closes the connection
        self._set_error(current, state, text, current.line + before, lost=lost)

    def _lose(self, text: str) -> None:
        current = self._current
        if current is not None:
            self._clock()
            self._set_error(current, "", text.strip(), current.line, lost=True)
            self._current = None

    def _set_error(self, current: Message, sqlstate: str, text: str, line: int, *, lost: bool) -> None:
        if self.error is None:
            self.error = StatementError(sqlstate, text, line, current.sql, len(self._waiting), lost)
            self.output.append(text)
        self._waiting.clear()
        self._generated = []

    def _notice(self, result: PGresult) -> None:
        self.output.append(result.error_message.decode("utf-8", "replace").rstrip())
