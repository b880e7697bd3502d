"""Disposable databases on one server: named, copied from a template, marked, dropped, crash or not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TypeVar

from psycopg.sql import SQL, Identifier, Literal

from pgrehearse.environments import marks
from pgrehearse.errors import SetupError
from pgrehearse.execution.session import Message, Session
from pgrehearse.servers import claimed
from pgrehearse.servers.base import Server

__all__ = ["Maker", "copying", "dropping", "made"]

T = TypeVar("T")
#: Seconds a server may take to recover from a crash.
_RECOVERY = 15.0
_ADMIN, _CLONE = "admin", "clone"
#: A backend goes a few ms after its client. CREATE and DROP DATABASE look for it only every 100 ms.
_ALONE = """
DO $$
BEGIN
  {first}
  FOR look IN 1 .. 100 LOOP
    PERFORM pg_catalog.pg_stat_clear_snapshot();
    EXIT WHEN NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE datname = {name});
    PERFORM pg_catalog.pg_sleep(0.001);
  END LOOP;
END $$
"""
#: Backends of no client are PostgreSQL's business, and a role that is no superuser may not end them.
_TERMINATE = """
  PERFORM pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
    WHERE datname = {name} AND backend_type = 'client backend';
"""
#: Every name of a database that this process made or began to make.
made: set[str] = set()


class _ConnectionLost(SetupError):
    pass


class Maker:
    """Makes databases on ``server``. What it made goes with `close`, unless it is kept."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._names: set[str] = set()  # every database made here that is to be dropped in the end
        #: connections by purpose: one clones, so that the others need not wait for a clone under way
        self._sessions: dict[str, Session] = {}

    def create(self, hint: str, template: str = "template1", *, marked: bool = True) -> str:
        """Make a copy of ``template`` and return its name, which ``hint`` makes readable.

        It is marked as disposable unless nobody but us will ever see it. Raises SetupError: somebody is
        connected to ``template``, or there is no room.
        """
        name = self._new_name(hint)
        for statement in copying(self.server, name, template):
            self._execute(statement)
        return self._marked(name) if marked else name

    def begin(self, hint: str, template: str) -> str:
        """Begin to make a copy that nobody waits for yet; its name. One at a time, see `finish`."""
        name = self._new_name(hint)
        statements = copying(self.server, name, template)
        self._session(_CLONE).start([Message(statement, 1) for statement in statements])
        return name

    def close_door(self, name: str) -> None:
        """Let nobody connect to the database ``name``, which is to be copied only."""
        statement = SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(Identifier(name))
        self._execute(statement.as_string())

    def finish(self, name: str, hint: str) -> str:
        """Wait for the copy ``name`` that was begun; its new name, which fits what it is for now."""
        self.settle()
        wanted = self._new_name(hint)
        rename = SQL("ALTER DATABASE {} RENAME TO {}").format(Identifier(name), Identifier(wanted))
        self._execute(rename.as_string())
        self._names.discard(name)
        return self._marked(wanted)

    def settle(self) -> None:
        """Wait for the copy under way, if there is one."""
        if _CLONE in self._sessions:
            self._wait(self._sessions[_CLONE])

    @contextmanager
    def temporary(self, hint: str, template: str = "template1") -> Iterator[str]:
        """The name of a new database, dropped afterwards."""
        name = self.create(hint, template)
        try:
            yield name
        finally:
            with suppress(SetupError):  # the server crashed: `close` tries again
                self.drop(name)

    def drop(self, name: str) -> None:
        """Drop a database, ending whatever is still connected to it."""
        for statement in dropping(name):
            self._execute(statement)
        self._names.discard(name)

    def keep(self, name: str) -> None:
        """Leave a database to the reader: neither ``close`` nor a later run drops it."""
        self._names.discard(name)
        if not self.server.ours:
            with suppress(SetupError):  # without a server there is nothing to keep
                self._execute(marks.comment_statement(name, "disposable", claimed.KEPT))

    def surviving(self, work: Callable[[], T]) -> T:
        """The result of ``work``, done again when the server had crashed and its connections with it."""
        try:
            return work()
        except _ConnectionLost:
            for session in self._sessions.values():
                session.close()
            self._sessions.clear()
            return work()

    def close(self) -> None:
        """Leave nothing behind: every database made here goes, also one that Ctrl-C found half made."""
        for session in self._sessions.values():
            self._free(session)
        for name in sorted(self._names):
            with suppress(SetupError):
                self.surviving(partial(self.drop, name))
        for session in self._sessions.values():
            session.close()
        self._sessions = {}

    def abandon(self) -> None:
        """Drop nothing: the server goes, with all that is on it."""
        for session in self._sessions.values():
            session.close()
        self._sessions, self._names = {}, set()

    def _marked(self, name: str) -> str:
        """Mark a database nobody has commented yet, in the form the role has the right to."""
        try:
            self._execute(marks.set_statement(name, "disposable"))
        except SetupError:
            error = self._session(_ADMIN).error
            if error is None or error.sqlstate != "42501":
                raise
            self._execute(marks.comment_statement(name, "disposable"))
        return name

    def _new_name(self, hint: str) -> str:
        name = claimed.new_name(hint)
        self._names.add(name)
        made.add(name)
        return name

    def _session(self, purpose: str) -> Session:
        session = self._sessions.get(purpose)
        if session is None or (session.error is not None and session.error.lost):
            session = self._sessions[purpose] = self._connected(purpose)
        return session

    def _connected(self, purpose: str) -> Session:
        """A new session; after a crash the server needs a moment until it takes one.

        On a server of others it claims what this run makes, after what killed runs left is cleared up.
        """
        server = self.server.watching
        if not server.ours:
            claimed.sweep(server)
        limit = time.monotonic() + _RECOVERY
        while True:
            try:
                session = Session(purpose, server.dsn())
                break
            except SetupError as error:
                if "the database system is" not in error.message or time.monotonic() > limit:
                    raise
                time.sleep(0.02)
        if not server.ours:
            session.start([Message(claimed.CLAIM, 1)])
            self._wait(session)
        return session

    def _execute(self, sql: str) -> None:
        session = self._session(_ADMIN)
        self._free(session)
        session.start([Message(sql, 1)])
        self._wait(session)

    def _free(self, session: Session) -> None:
        """Cancel what Ctrl-C left under way."""
        if not session.finished:
            session.cancel()
            with suppress(SetupError):
                self._wait(session)

    def _wait(self, session: Session) -> None:
        while not session.pump(1.0):
            pass
        if session.error is not None:
            raise (_ConnectionLost if session.error.lost else SetupError)(
                f"a disposable database could not be made: {session.error.text}",
                next_step="check the server's log and its free disk space",
            )


def copying(server: Server, name: str, template: str) -> tuple[str, str]:
    """The statements, one message each, that make the database ``name`` a copy of ``template``.

    The second fails when somebody stays in ``template``.
    """
    copy = SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {}")
    statement = copy.format(Identifier(name), Identifier(template), SQL(server.copies))
    if server.owner:
        statement += SQL(" OWNER {}").format(Identifier(server.owner))
    return _alone(template), statement.as_string()


def dropping(name: str) -> tuple[str, str]:
    """The statements, one message each, that end what is connected to the database ``name`` and drop it."""
    forced = SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name))
    return _alone(name, _TERMINATE), forced.as_string()


def _alone(name: str, first: str = "") -> str:
    """A statement that does ``first`` and waits until no backend is on ``name``, 0.1 s at most."""
    return SQL(_ALONE).format(first=SQL(first).format(name=Literal(name)), name=Literal(name)).as_string()
