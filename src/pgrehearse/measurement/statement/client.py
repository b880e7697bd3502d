"""Connections of a measurement: statements that are watched while they run, and clones to run them on."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGresult

from pgrehearse.connections import connect
from pgrehearse.errors import DocumentError, SetupError, first_line
from pgrehearse.execution.maker import Maker
from pgrehearse.execution.polling import Polling, copies, refusal
from pgrehearse.servers.base import Server
from pgrehearse.text.passwords import redacted

__all__ = ["Client", "Clone", "Clones", "LockWait"]

#: Seconds one statement may take before the measurement gives up.
LIMIT = 120.0
#: Seconds between two looks at whether a statement is blocked: first, and at most.
_LOOK, _LOOK_MOST = 0.0005, 0.02
_NUMBERED = re.compile(r"\b(pg_(?:toast|temp)_)\d+")
_SAVEPOINT = b"SAVEPOINT pgrehearse_look"
_BACK = b"ROLLBACK TO SAVEPOINT pgrehearse_look; RELEASE SAVEPOINT pgrehearse_look"
#: Said of every B-tree that is built, and of event triggers by their oid.
_NOISE = re.compile(r"use deduplication$|^EventTriggerInvoke \d+$")


class Client:
    """One connection. ``start`` and ``poll`` run a statement without blocking us; ``rows`` waits."""

    def __init__(self, dsn: str) -> None:
        try:
            self.connection = connect(dsn, autocommit=True, application_name="pgrehearse measurement")
        except psycopg.Error as error:
            reason = first_line(error)
            raise SetupError(
                f"a measurement cannot connect: {reason}", next_step="check the server"
            ) from None
        self.connection.add_notice_handler(self._notice)
        self.connection.prepare_threshold = None
        self.pid = self.connection.info.backend_pid
        self.messages: list[str] = []
        self.skipped: list[tuple[str, str]] = []
        self.sqlstate = ""
        self.error = ""
        self._sent = ""
        self._polling = Polling(self.connection.pgconn, self._take)

    def rows(
        self, query: str | bytes, parameters: Sequence[Any] | Mapping[str, Any] = ()
    ) -> list[tuple[Any, ...]]:
        """Run ``query`` to its end; its rows, if it gives some. Raises psycopg.Error."""
        cursor = self.connection.execute(
            query.encode() if isinstance(query, str) else query, parameters or None
        )
        return cursor.fetchall() if cursor.description else []

    def catalog(self, query: bytes) -> list[tuple[Any, ...]]:
        """Rows of a look at the catalog, named as in the schema public, whatever search_path is set here.

        Which one is set, and for how long, stays as it is.
        """
        idle = self.connection.info.transaction_status == TransactionStatus.IDLE
        self.connection.execute((b"BEGIN" if idle else _SAVEPOINT) + b"; SET LOCAL search_path = public")
        try:
            return self.rows(query)
        finally:
            self.connection.execute(b"ROLLBACK" if idle else _BACK)

    @property
    def reason(self) -> str:
        """The first line of the error, without the word ERROR; empty without an error."""
        return self.error.partition("\n")[0].removeprefix("ERROR:").strip()

    def start(self, statement: str) -> None:
        """Send ``statement`` and return at once. What an earlier one said is forgotten."""
        self.messages, self.skipped, self.sqlstate, self.error = [], [], "", ""
        self._sent = statement
        self._polling.send(statement)

    def poll(self, seconds: float) -> bool:
        """Work for up to ``seconds``. Returns whether the statement has ended."""
        ended = self._polling.poll(seconds)
        if self._polling.lost:
            self.sqlstate, self.error = "08006", self._polling.lost
        return ended

    def run(self, statement: str, rows: str | None = None) -> str:
        """Run ``statement`` to its end and return the SQLSTATE it raised, or the empty string.

        ``rows``: what a COPY from the client is given.
        """
        if rows is not None:
            return self._copy(statement, rows)
        self.start(statement)
        end = time.monotonic() + LIMIT
        while not self.poll(min(1.0, LIMIT)):
            if time.monotonic() > end:
                raise _too_long(LIMIT)
        return self.sqlstate

    def _copy(self, statement: str, rows: str) -> str:
        self.messages, self.skipped, self.sqlstate, self.error = [], [], "", ""
        try:
            with self.connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
                copy.write(rows.encode())
        except psycopg.Error as error:
            self.sqlstate, self.error = error.sqlstate or "08006", redacted(statement, str(error))
        return self.sqlstate

    def abandon(self) -> None:
        """Cancel what is under way, wait for its end, leave the transaction."""
        self._polling.cancel()
        while not self.poll(1.0):
            pass
        with suppress(psycopg.Error):
            self.connection.execute("ROLLBACK")

    def close(self) -> None:
        with suppress(psycopg.Error):
            self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._polling.cancel()
        self.close()

    def _take(self, result: PGresult) -> None:
        if copies(result):
            raise DocumentError("COPY through the client cannot be measured", next_step="use INSERT")
        if error := refusal(result):
            self.sqlstate = self.sqlstate or error.sqlstate or "08006"
            self.error = self.error or redacted(self._sent, error.text.strip())

    def _notice(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        text = diagnostic.message_primary or ""
        if diagnostic.sqlstate in ("42701", "42P07"):  # IF NOT EXISTS: what it would make is there
            self.skipped.append((diagnostic.sqlstate, text))
        if diagnostic.severity_nonlocalized == "DEBUG" and not _NOISE.search(text):
            self.messages.append(_NUMBERED.sub(r"\1N", text))


@dataclass(frozen=True)
class LockWait:
    """What a statement waits for: PostgreSQL's lock type, the relation's oid if it is one, who blocks."""

    locktype: str
    relation: int | None
    blockers: frozenset[int]


@dataclass
class Clone:
    """A clone to try something on. ``clean``: nothing was written to it, so that the next can have it."""

    dsn: str
    clean: bool = False


class Clones:
    """Clones of one prepared database, and a view on their backends from outside.

    The watching connection is to another database: commands that wait for every snapshot of their own
    database must not wait for the watcher. And it may have powers that code in that database must not have.

    Args:
        server: a disposable server.
        template: the prepared database. Nobody may be connected to it.
        maker: makes them; one of its own unless given.
    """

    def __init__(self, server: Server, template: str, maker: Maker | None = None) -> None:
        self.server = server
        self.template = template
        self.admin = Client(server.watching.dsn())
        self._maker = maker or Maker(server)
        self._shared = maker is not None
        self._names: set[str] = set()
        self._clean: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in sorted(self._names):
            with suppress(SetupError):
                self.drop(name)
        if not self._shared:
            self._maker.close()
        self.admin.close()

    def create(self, template: str = "") -> str:
        """Create a clone of the prepared database, or of ``template``, and return its name."""
        try:
            name = self._maker.create("clone", template or self.template, marked=False)
        except SetupError as error:
            raise SetupError(
                f"the prepared database cannot be cloned: {error.message}",
                next_step="name a database that exists and that nobody is connected to; when the server"
                " ended, see its log and its free disk space",
            ) from None
        self._names.add(name)
        return name

    def drop(self, name: str) -> None:
        """Drop a clone, ending whatever is still connected to it."""
        self._maker.drop(name)
        self._names.discard(name)

    @contextmanager
    def clone(self, *, unread: bool = False) -> Iterator[Clone]:
        """A clone nobody has written to, dropped afterwards unless it is left ``clean``.

        Args:
            unread: nobody has connected to it either, whose counters could still be under way.
        """
        name = self._clean.pop() if self._clean and not unread else self.create()
        clone = Clone(self.server.dsn(name))
        try:
            yield clone
        finally:
            if clone.clean:
                self._clean.append(name)
            else:
                self.drop(name)

    def settle(self, client: Client, watched: Collection[int]) -> LockWait | None:
        """Let ``client``'s statement run until it ends (None) or is blocked by a backend of ``watched``.

        Blocked is what pg_blocking_pids says, not a time that passed: the backends of ``watched`` do nothing
        meanwhile, so the wait lasts until we end it. Raises DocumentError after `LIMIT` seconds.
        """
        end, pause = time.monotonic() + LIMIT, _LOOK
        while not client.poll(pause):
            if wait := self._wait(client, watched):
                return wait
            if time.monotonic() > end:
                raise _too_long(LIMIT)
            pause = min(2 * pause, _LOOK_MOST)
        return None

    def _wait(self, client: Client, watched: Collection[int]) -> LockWait | None:
        """What ``client``'s statement waits for that a backend of ``watched`` holds.

        The lock may be one that a worker of its own asked for, as REPACK (CONCURRENTLY) of 19 has it.
        """
        found = self.admin.rows(
            "SELECT l.locktype, l.relation::bigint, b.pids"
            " FROM pg_catalog.pg_locks AS l"
            " CROSS JOIN LATERAL (SELECT pg_catalog.pg_blocking_pids(l.pid) AS pids OFFSET 0) AS b"
            " LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid"
            " WHERE NOT l.granted AND b.pids && %(watched)s::int[] AND %(client)s IN (l.pid, a.leader_pid)",
            {"watched": list(watched), "client": client.pid},
        )
        return LockWait(found[0][0], found[0][1], frozenset(found[0][2])) if found else None


def _too_long(limit: float) -> DocumentError:
    return DocumentError(
        f"the statement takes longer than {limit:.0f} s, so it was not measured",
        next_step="measure it on fewer rows",
    )
