"""A named session: one connection that runs the statements of a cell, one message each, polled."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg.pq import ConnStatus, ExecStatus, PGconn, TransactionStatus
from psycopg.pq.abc import PGresult

from pgrehearse.connections import in_utf8
from pgrehearse.errors import SetupError
from pgrehearse.execution.bounds import ROOM
from pgrehearse.execution.escort import NO_TRANSACTION, Escort, Frame, Message
from pgrehearse.execution.onlooker import Onlooker
from pgrehearse.execution.polling import Polling, copies, refusal
from pgrehearse.execution.psql_format import TooLong, format_result
from pgrehearse.text.passwords import redacted

__all__ = ["Message", "Session", "StatementError"]


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
    #: it was not the server that refused: there is more output than a cell may have
    too_long: bool = False
    #: a limit or a cancellation ended it while it ran or waited
    interrupted: bool = False


@dataclass(frozen=True)
class _Part:
    """One of the messages that a message and its frame are."""

    sql: str
    own: bool = False


class Session:
    """One connection. ``start`` hands it messages, ``pump`` lets it work."""

    def __init__(self, name: str, conninfo: str, onlooker: Onlooker | None = None) -> None:
        self.name = name
        self.onlooker = onlooker or Onlooker()
        self.pgconn = PGconn.connect(in_utf8(conninfo).encode())
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
        #: the statements in the order in which they were sent; of a query for \gexec, what it generated
        self.sent: list[str] = []
        self.error: StatementError | None = None
        #: (start, end) on the monotonic clock of every message, for the whole life of the session
        self.intervals: list[tuple[float, float]] = []
        self._polling = Polling(self.pgconn, self._take)
        self._waiting: deque[Message] = deque()
        self._current: Message | None = None
        #: when the part under way was sent, and when its message began, on the monotonic clock
        self.sent_at = self.began_at = 0.0
        self._escort = Escort()
        self._frame = Frame()
        self._parts: deque[_Part] = deque()
        self._part = _Part("")
        self._undoing = False
        self._printed_before = 0
        self._generated: list[str] = []
        self._rows: list[list[bytes | None]] = []
        self._room = ROOM
        self._stopped = False

    def start(self, messages: list[Message], escort: Escort | None = None) -> None:
        """Begin with ``messages``, framed by ``escort``; what earlier ones printed is forgotten."""
        assert self.finished, f"session {self.name} is still busy"
        self.output, self.generated, self.sent, self.error = [], [], [], None
        self._room = ROOM
        self._waiting = deque(messages)
        self._escort = escort or Escort()
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

    @property
    def broken(self) -> bool:
        """Whether it is in a transaction that failed."""
        return self.pgconn.transaction_status == TransactionStatus.INERROR

    def run(self, messages: list[Message]) -> StatementError | None:
        """Run ``messages`` to their end, however long it takes; the error, if one was raised."""
        self.start(messages)
        while not self.pump(1.0):
            pass
        return self.error

    def pump(self, seconds: float) -> bool:
        """Work for up to ``seconds``, less when there is news. Returns whether all messages are done."""
        while self._current is not None and self._polling.poll(seconds):
            seconds = 0.0
            self._ended(self._current)
        if self._room < 0 and self._current is not None and not self._stopped and not self._undoing:
            self._stopped = True
            self.cancel()
        return self._current is None

    def cancel(self) -> None:
        """Ask the server to cancel the message under way; it answers with SQLSTATE 57014."""
        self._polling.cancel()

    def close(self) -> None:
        self.pgconn.finish()

    def _next(self) -> None:
        """Send what comes next: another part of the current message, or the first of the next one."""
        while not self._parts and self.error is None and self._waiting:
            message = self._waiting.popleft()
            frame = self._escort.frame(message, TransactionStatus(self.pgconn.transaction_status))
            if frame.refused:
                self._fail(message, "25006", f"ERROR:  {frame.refused}", message.line, lost=False)
            elif frame.printed is not None:
                self.output += frame.printed
            else:
                self._current, self._printed_before = message, len(self.output)
                self.began_at = time.monotonic()
                if not message.gexec:
                    self.sent.append(message.sql)
                self.onlooker.sends(self, message)
                self._put(frame)
        if not self._parts:
            self._current = None
            self._waiting.clear()
            return
        self._part = self._parts.popleft()
        self.sent_at = time.monotonic()
        self._rows, self._stopped = [], False
        self._polling.send(self._part.sql, single=self._part.own and self._frame.single)
        with suppress(psycopg.OperationalError):  # the connection is gone, which the next look says
            self.pgconn.set_single_row_mode()  # else libpq collects all rows before anybody can count them

    def _put(self, frame: Frame, undo: tuple[str, ...] = ()) -> None:
        assert self._current is not None
        self._frame, self._undoing = frame, False
        before = [_Part(sql) for sql in (*undo, *frame.before)]
        self._parts.extend([*before, _Part(self._current.sql, own=True), *map(_Part, frame.after)])

    def _ended(self, current: Message) -> None:
        self.intervals.append((self.sent_at, time.monotonic()))
        if self._polling.lost:
            self._fail(current, "", self._polling.lost, current.line, lost=True)
        if self.error is not None:
            self._failed(self.error)
        elif not self._parts:
            printed = self.output[self._printed_before :]
            self._escort.ended(current, printed, TransactionStatus(self.pgconn.transaction_status))
            self.onlooker.ended(self, current, printed, None)
            if current.gexec:
                self._generate(current)
        self._next()

    def _generate(self, current: Message) -> None:
        """Put what the query ``current`` generated before what is waiting."""
        generated, self._generated = self._escort.generates(current, self._generated), []
        if generated is None:
            self._waiting.clear()
            return
        sent = [
            Message(sql, current.line, number=current.number, generated=count)
            for count, sql in enumerate(generated, 1)
        ]
        self.generated += generated
        self._waiting.extendleft(reversed(sent))

    def _failed(self, error: StatementError) -> None:
        """What is sent after an error in the current message or what stands around it."""
        otherwise = self._frame.otherwise
        if self._part.own and otherwise is not None and error.sqlstate in NO_TRANSACTION:
            del self.output[self._printed_before :]
            undo, self.error = self._frame.undo, None
            self._parts.clear()
            self._put(otherwise(), undo)
        elif not self._undoing:
            assert self._current is not None
            self.onlooker.ended(self, self._current, self.output[self._printed_before :], error)
            self._undoing = True
            self._parts = deque() if error.lost else deque(map(_Part, self._frame.undo))

    def _take(self, result: PGresult) -> None:
        current = self._current
        assert current is not None
        if self._undoing:
            return
        if copies(result):
            self._fail(
                current, "", "COPY through the client cannot be run from a cell", current.line, lost=True
            )
        elif error := refusal(result):
            position = error.position if self._part.own else 0
            line = current.line + current.sql.count("\n", 0, max(position - 1, 0))
            if self._takes(len(error.text)):
                self._fail(
                    current,
                    error.sqlstate,
                    error.text,
                    line,
                    lost=error.fatal,
                    interrupted=error.interrupted,
                )
        elif not self._part.own:
            return
        elif result.status == ExecStatus.SINGLE_TUPLE:
            row = [result.get_value(0, column) for column in range(result.nfields)]
            if self._takes(_size(row)):
                self._rows.append(row)
        elif current.gexec and result.status == ExecStatus.TUPLES_OK:
            self._generated = [value.decode() for row in self._rows for value in row if value is not None]
        else:
            self._print(result)

    def _print(self, result: PGresult) -> None:
        rows, self._rows = self._rows, []
        self._room += sum(map(_size, rows))
        try:
            text = format_result(result, rows, self._room)
        except TooLong:
            text = ""
            self._takes(self._room + 1)
        if text and self._takes(len(text)):
            self.output.append(text)

    def _takes(self, size: int) -> bool:
        """Whether there is room for ``size`` more characters; the first time there is not, the cell fails."""
        self._room -= size
        if self._room < 0 and self._current is not None:
            self._rows = []
            current = self._current
            self._fail(current, "", "too much output", current.line, lost=False, too_long=True)
        return self._room >= 0

    def _fail(
        self,
        current: Message,
        sqlstate: str,
        text: str,
        line: int,
        *,
        lost: bool,
        too_long: bool = False,
        interrupted: bool = False,
    ) -> None:
        if self.error is None:
            text, sql = redacted(current.sql, text), redacted(current.sql)
            unsent = len(self._waiting)
            self.error = StatementError(sqlstate, text, line, sql, unsent, lost, too_long, interrupted)
            self.output.append(text)
        self._generated = []

    def _notice(self, result: PGresult) -> None:
        if self._undoing:
            return
        said = redacted(self._part.sql, result.error_message.decode("utf-8", "replace").rstrip())
        if self.onlooker.noticed(said) and self._room - len(said) < ROOM // 2:
            return  # a trigger that talks is no reason to cancel a walk; the rest of the room is for rows
        if self._takes(len(said)):
            self.output.append(said)


def _size(row: Sequence[bytes | None]) -> int:
    """Characters a row takes at least, once it is printed."""
    return sum(len(value or b"") for value in row) + 3 * len(row) + 1
