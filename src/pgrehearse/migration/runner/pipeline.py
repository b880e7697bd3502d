"""Statements of one transaction, sent ahead of their answers, each followed by a question of ours.

psql waits for the answer to a statement before it sends the next. With many small ones that is most of the
time. Here two batches are under way: the server is at one while we read what it said of the other.
"""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

import psycopg
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult

from pgrehearse.interrupts import Interrupts
from pgrehearse.migration.runner.question import Question

__all__ = ["Pipeline"]

#: Batches under way at once.
_AHEAD = 2
#: Seconds between two cancels.
_AGAIN = 1.0


class Pipeline:
    """Sends on ``pgconn``, which is in non-blocking mode, within a transaction.

    Args:
        pause: seconds without an answer after which ``waiting`` is called, again and again.
        interrupts: lets signals through while it waits, where the caller holds them back.

    Attributes:
        results: what has come back of the batch that is being received.
        left: what came back of batches behind it that were under way at an interrupt, the oldest first.
    """

    def __init__(
        self, pgconn: PGconn, pause: float, waiting: Callable[[], None], interrupts: Interrupts
    ) -> None:
        self._pgconn = pgconn
        self._interrupts = interrupts
        self._pause = pause
        self._waiting = waiting
        self._under_way = 0
        self._come: deque[list[PGresult]] = deque()  # of batches that have ended, and were not received yet
        self._coming: list[PGresult] = []  # of the one after them
        self.results: list[PGresult] = []
        self.left: list[list[PGresult]] = []

    @property
    def full(self) -> bool:
        """Whether answers are to be taken before more is sent."""
        return self._under_way >= _AHEAD

    @property
    def heard(self) -> tuple[int, int]:
        """How many batches have ended and are to be received, and how many answers the next one has."""
        return len(self._come), len(self._coming)

    def send(self, first: Question, statements: Sequence[tuple[bytes, Question]] = ()) -> None:
        """Send a batch: the ``first`` question, then each statement and the question after it.

        Raises psycopg.OperationalError: the connection is lost.
        """
        link = self._pgconn
        if not self._under_way:
            link.enter_pipeline_mode()
        self._hear()
        link.send_query_prepared(*first, result_format=Format.BINARY)
        for sql, question in statements:
            self._hear()
            link.send_query_params(sql, None)
            self._hear()
            link.send_query_prepared(*question, result_format=Format.BINARY)
        self._hear()
        link.pipeline_sync()
        self._under_way += 1
        self._hear()
        link.flush()

    def receive(self) -> list[PGresult]:
        """What came back for the oldest batch: a result for each statement and each question, in order.

        Behind an error they are of no use. Whatever is raised, `results` holds what came back.

        Raises:
            psycopg.OperationalError: the connection is lost.
            BaseException: of an interrupt, after all that is under way was canceled.
        """
        self.results, self.left = [], []
        try:
            self._read()
        except psycopg.Error:
            self._under_way = 0
            raise
        except BaseException:
            self.cancel()
            self.results, *self.left = self.left or [[]]
            raise
        self._ended()
        return self.results

    def cancel(self) -> None:
        """Cancel until nothing is under way, for a cancel may arrive between two statements. Sets `left`."""
        self.left = []
        while self._under_way:
            with self._interrupts.allowed(), suppress(psycopg.OperationalError):
                self._pgconn.get_cancel().cancel()
            try:
                self._read(time.monotonic() + _AGAIN)
            except TimeoutError:
                continue
            except psycopg.Error:
                self._under_way = 0
            else:
                self._ended()
            self.left.append(self.results)
        self.results = []

    def drop(self) -> None:
        """Forget what is under way: the transaction has failed, so nothing of it is carried out."""
        failed = self.results
        while self._under_way:
            self.receive()
        self.results = failed

    def _ended(self) -> None:
        self._under_way -= 1
        if not self._under_way:
            self._pgconn.exit_pipeline_mode()

    def _read(self, limit: float | None = None) -> None:
        """Wait for the end of the oldest batch; `results` is what came back of it, also when it has no end.

        Raises:
            psycopg.OperationalError: the connection is lost.
            TimeoutError: at ``limit``, of the monotonic clock.
        """
        link = self._pgconn
        self._hear()
        while not self._come:
            self.results = self._coming
            if link.status == ConnStatus.BAD:
                raise psycopg.OperationalError("the connection was lost")
            unsent = link.flush()
            self._hear()
            with self._interrupts.allowed():
                ready, _, _ = select.select([link.socket], [link.socket] if unsent else [], [], self._pause)
                if not ready and not unsent and limit is None:
                    self._waiting()
            if ready:
                link.consume_input()
            self._hear()
            if not self._come and limit is not None and time.monotonic() > limit:
                raise TimeoutError
        self.results = self._come.popleft()

    def _hear(self) -> None:
        """Take the answers that have come, before every call that may read.

        One that sends may, too. When libpq meets the end of the connection it forgets what it had asked: it
        takes answers that still lie there, such as why the server ended it, for those to something else.
        """
        link = self._pgconn
        while len(self._come) < self._under_way and not link.is_busy():
            result = link.get_result()
            if result is None:  # the end of one answer
                if link.status == ConnStatus.BAD:
                    return
            elif result.status == ExecStatus.PIPELINE_SYNC:
                self._come.append(self._coming)
                self._coming = []
            else:
                self._coming.append(result)
