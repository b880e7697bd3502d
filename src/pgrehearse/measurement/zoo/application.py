"""An application beside a runbook: rounds of requests, in a session from before and in fresh ones.

What was done can be done once more on another copy: so each value after a runbook has one to compare it with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg

from pgrehearse.connections import connect
from pgrehearse.errors import first_line
from pgrehearse.measurement.zoo.shapes import Shape
from pgrehearse.text.split import tokens

__all__ = ["Application", "Failure", "Key"]

#: Milliseconds a request may take: nobody holds a lock between two steps.
_LIMIT = 20_000
#: Number of the round and of the request.
Key = tuple[int, int]


@dataclass(frozen=True)
class Failure:
    """A request that failed."""

    sql: str
    sqlstate: str
    reason: str

    def __str__(self) -> str:
        return f"{' '.join(self.sql.split())}: {self.sqlstate or 'lost'} {self.reason}"


@dataclass
class Application:
    """Sends the requests of ``shape`` to ``dsn``, a database of the application's role.

    ``answers`` holds what each request gave that succeeded, ``failures`` the others.
    """

    dsn: str
    shape: Shape
    answers: dict[Key, list[tuple[Any, ...]]] = field(default_factory=dict)
    failures: dict[Key, Failure] = field(default_factory=dict)
    rounds: int = 0
    _old: psycopg.Connection[Any] | None = None

    def __enter__(self) -> Application:
        self._old = self._connected()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._old is not None:
            self._old.close()

    def round(self, wanted: Callable[[Key], bool] = lambda key: True) -> None:
        """Send the requests of one round that are ``wanted``. Each fourth round has a fresh session."""
        with self._session() as session:
            for number, sql in enumerate(self.shape.sections["traffic"]):
                key = self.rounds, number
                if wanted(key):
                    self._request(session, key, _numbered(sql, self.rounds))
        self.rounds += 1

    @contextmanager
    def _session(self) -> Iterator[psycopg.Connection[Any]]:
        if self.rounds % 4 == 3:
            with self._connected() as session:
                yield session
            return
        if self._old is None or self._old.closed:
            self._old = self._connected()
        yield self._old

    def _connected(self) -> psycopg.Connection[Any]:
        session = connect(self.dsn, autocommit=True, prepare_threshold=None)
        for sql in (f"SET statement_timeout = {_LIMIT}", *self.shape.sections["session"]):
            session.execute(sql.encode())
        return session

    def _request(self, session: psycopg.Connection[Any], key: Key, sql: str) -> None:
        try:
            cursor = session.execute(sql.encode())
            self.answers[key] = cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            self.failures[key] = Failure(sql, error.sqlstate or "", first_line(error))
            with suppress(psycopg.Error):
                session.rollback()


def _numbered(sql: str, number: int) -> str:
    return "".join(str(number) if token.text == ":n" else token.text for token in tokens(sql))
