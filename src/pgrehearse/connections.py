"""The way to a server: in UTF-8, whatever DSN, role, database or PGCLIENTENCODING say.

psycopg gives bytes instead of text where the encoding of the client is SQL_ASCII, and files are UTF-8.
"""

from __future__ import annotations

import json
import selectors
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, LiteralString

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, PollingStatus, TransactionStatus, abc
from psycopg.types.json import set_json_dumps

__all__ = [
    "NOT_TEXT",
    "NOT_TEXT_NEXT",
    "Connection",
    "Opening",
    "connect",
    "holds_other_text",
    "in_utf8",
    "transaction",
]

#: What is said of a database that holds something else than text in UTF-8, and what to do about it.
NOT_TEXT = "something in the database is not text in UTF-8"
NOT_TEXT_NEXT = "find the name or comment, and write it anew; an SQL_ASCII database takes any bytes"
_BEGIN = b"BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0;"
_UTF8: dict[str, Any] = {"client_encoding": "UTF8"}
# Letters stand as they are in JSON: a database in SQL_ASCII or LATIN1 knows no \u00e4.
set_json_dumps(partial(json.dumps, ensure_ascii=False))
#: What is waited for while a connection is being opened.
_EVENTS = {PollingStatus.READING: selectors.EVENT_READ, PollingStatus.WRITING: selectors.EVENT_WRITE}


class Connection(psycopg.Connection[Any]):
    """One that knows when its making began. ``begun``: by `time.monotonic`, before the first byte."""

    begun: float


def connect(conninfo: str, **options: Any) -> Connection:
    """`psycopg.connect`, in UTF-8. Raises psycopg.Error."""
    begun = time.monotonic()
    made = Connection.connect(conninfo, **_UTF8, **options)
    made.begun = begun
    _in_iso(made)
    return made


@contextmanager
def transaction(connection: psycopg.Connection[Any], first: bytes) -> Iterator[None]:
    """A transaction on ``connection``, in autocommit mode; ``first`` is sent with its BEGIN.

    One message and not two or three: with many databases each costs more than what it asks for. What a role
    or a database says of idle transactions does not end it: the time between two questions is our own.
    """
    try:
        connection.execute(_BEGIN + first)
        yield
    except BaseException:
        if connection.info.transaction_status != TransactionStatus.IDLE:
            with suppress(psycopg.Error):  # it is gone, and its transaction with it
                connection.execute("ROLLBACK")
        raise
    else:
        connection.execute("COMMIT")


class Opening:
    """A connection in autocommit mode that is opened while its owner does something else.

    Opening one waits for whoever has locked the catalogs of roles or databases, which may be the owner.

    Args:
        first: what is executed before the connection is given away.
    """

    def __init__(self, conninfo: str, application: str, first: LiteralString) -> None:
        self._conninfo, self._application = conninfo, application
        self._first = first
        self._half: abc.PGconn | None = None
        self._whole: psycopg.Connection[Any] | None = None

    def opened(self, patience: float) -> psycopg.Connection[Any] | None:
        """The connection; None as long as it is not open. The first call begins.

        ``patience``: seconds to wait for the server at most. Raises psycopg.Error: it cannot be opened.
        """
        limit = time.monotonic() + patience
        if self._whole is None:
            if self._half is None:
                conninfo = make_conninfo(in_utf8(self._conninfo), application_name=self._application)
                self._half = PGconn.connect_start(conninfo.encode())
                self._half.nonblocking = 1
            while (wait := _EVENTS.get(state := PollingStatus(self._half.connect_poll()))) is not None:
                with selectors.DefaultSelector() as selector:
                    selector.register(self._half.socket, wait)
                    if not selector.select(max(0.0, limit - time.monotonic())):
                        return None
            if state == PollingStatus.FAILED:
                raise psycopg.OperationalError(self._half.get_error_message())
            whole: psycopg.Connection[Any] = psycopg.Connection(self._half)
            whole.autocommit = True
            _in_iso(whole)
            whole.execute(self._first)
            self._whole = whole
        return self._whole

    def close(self) -> None:
        """Whatever became of it."""
        if self._half is not None:
            self._half.finish()


def holds_other_text(connection: psycopg.Connection[Any], error: psycopg.Error) -> bool:
    """Whether ``error`` says that the database of ``connection`` holds what is `NOT_TEXT`.

    Only one in SQL_ASCII can: others refuse it where it is written.
    """
    return error.sqlstate == "22021" and connection.info.parameter_status("server_encoding") == "SQL_ASCII"


def _in_iso(connection: psycopg.Connection[Any]) -> None:
    """Times as psycopg reads them, where a role or a database has another DateStyle."""
    if not (connection.info.parameter_status("DateStyle") or "ISO").startswith("ISO"):
        connection.pgconn.exec_(b"SET DateStyle = ISO")  # beside the transactions of the connection


def in_utf8(conninfo: str) -> str:
    """The connection string that asks for UTF-8, for libpq and the programs that use it."""
    return make_conninfo(conninfo, **_UTF8)
