"""One transaction whose end is known from the server, not from what the client saw of it.

A COMMIT can fail, and it can be done although the client was interrupted, or lost the connection, while it
waited. So nothing counts as done before the server has said so: in its answer, or in the ledger, whose row
is part of the same transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.sql import SQL, Literal

from pgrehearse.connections import connect
from pgrehearse.errors import SetupError, first_line
from pgrehearse.execution.backoff import LOCK_NOT_AVAILABLE, Backoff
from pgrehearse.execution.exclusion import RUNNER

__all__ = ["Transactions"]

#: Seconds to wait for the end of a COMMIT whose connection was lost, and between two questions for it.
_PATIENCE = 10.0
_PAUSE = 0.2
#: A lock of the transaction, which no function of a migration can give up; and again the session's, before
#: the transaction and its lock end.
_BEGIN = f"""
BEGIN;
SET LOCAL lock_timeout = {{}};
SELECT pg_catalog.pg_advisory_xact_lock({RUNNER[0]}, {RUNNER[1]})
"""
_LOCK_ON = "SELECT pg_catalog.pg_advisory_lock(%s, %s), pg_catalog.pg_current_xact_id()::pg_catalog.text"
_STATUS = "SELECT pg_catalog.pg_xact_status(%s::pg_catalog.text::pg_catalog.xid8)"

Asks = Callable[[psycopg.Connection[Any]], bool]


@dataclass(frozen=True)
class Transactions:
    """Runs transactions on ``connection``, which is in autocommit mode.

    Args:
        conninfo: of the same database, to ask for the end of a COMMIT when the connection is lost.
        lock_timeout: in PostgreSQL's notation.
        backoff: tries of what does not get its locks.
        tell: called with lines for people.
    """

    connection: psycopg.Connection[Any]
    conninfo: str
    lock_timeout: str
    backoff: Backoff
    tell: Callable[[str], None]

    def patiently(self, body: Callable[[], None]) -> None:
        """``body``, and again after a pause while it gets no lock."""
        for number in count(1):
            try:
                body()
                return
            except psycopg.Error as error:
                pause = self.backoff.pause(number, error.sqlstate)
                if pause is None:
                    raise
                self.tell(
                    f"{_why(error, self.lock_timeout)} ({pause.sqlstate});"
                    f" try {pause.number} of {pause.of} in {pause.seconds:g} s"
                )
                self.backoff.sleep(pause.seconds)

    def whole(self, what: str, work: Callable[[], None], record: Callable[[], None], recorded: Asks) -> None:
        """``work`` and what ``record`` writes about it, in one transaction. Returns when it is committed.

        ``recorded`` asks the ledger, maybe on another connection, for what ``record`` wrote. Of ``what`` is
        told when its COMMIT went through in spite of an interruption.

        Raises:
            psycopg.Error: nothing of it is committed.
            KeyboardInterrupt: it is committed or not, as the ledger says.
            SetupError: whether it is committed cannot be known now.
        """
        self.patiently(lambda: self._once(what, work, record, recorded))

    def _once(self, what: str, work: Callable[[], None], record: Callable[[], None], recorded: Asks) -> None:
        run = self.connection.execute
        try:
            run(SQL(_BEGIN).format(Literal(self.lock_timeout)))
            work()
            # Deferred triggers and constraints belong to the work: they see its role and its search path.
            run("SET CONSTRAINTS ALL IMMEDIATE")
            record()
            row = run(_LOCK_ON, RUNNER).fetchone()
        except BaseException:
            self._undo()
            raise
        assert row is not None
        try:
            run("COMMIT")
        except BaseException as error:
            if not self._committed(row[1], recorded):
                raise
            self.tell(f"{what} is committed, says the server; a standby may not have it yet")
            if not isinstance(error, psycopg.Error):
                raise

    def _undo(self) -> None:
        """Give the transaction up. A connection that does not answer is closed: the server undoes it."""
        status = self.connection.info.transaction_status
        if status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            with suppress(psycopg.Error):
                self.connection.execute("ROLLBACK")
        elif status != TransactionStatus.IDLE:
            self.connection.close()

    def _committed(self, xid: str, recorded: Asks) -> bool:
        self._undo()
        if not self.connection.closed:
            return recorded(self.connection)
        limit = time.monotonic() + _PATIENCE
        while True:
            try:
                with connect(self.conninfo, autocommit=True, connect_timeout=5) as other:
                    if not _under_way(other, xid):
                        return recorded(other)
                    reason = "it is still under way"
            except psycopg.OperationalError as error:
                reason = first_line(error)
            if time.monotonic() > limit:
                raise SetupError(
                    f"whether the last COMMIT went through is not known: {reason}",
                    next_step="run this again when the server answers: what is committed is in its ledger,"
                    " and a COMMIT still under way keeps the next run waiting",
                ) from None
            time.sleep(_PAUSE)


def _under_way(connection: psycopg.Connection[Any], xid: str) -> bool:
    """Whether the transaction has no end yet. A server that took over may not have come to ``xid``."""
    try:
        row = connection.execute(_STATUS, [xid]).fetchone()
    except psycopg.errors.InvalidParameterValue:
        return False
    return row is not None and row[0] == "in progress"


def _why(error: psycopg.Error, lock_timeout: str) -> str:
    if error.sqlstate == LOCK_NOT_AVAILABLE:
        return f"no lock within {lock_timeout}, nothing is changed"
    return first_line(error)
