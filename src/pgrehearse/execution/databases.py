"""A fresh database per document: cloned from a template that holds the project's migrations and seed.

The next document's database can be made while the current one runs (``prepare``): the server copies files,
nobody waits.
"""

from __future__ import annotations

import itertools
import os
import re
import time
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from pgrehearse.environments import marks
from pgrehearse.errors import DocumentError, PgRehearseError, SetupError
from pgrehearse.execution import seeds
from pgrehearse.execution.session import Message, Session
from pgrehearse.servers.base import Server
from pgrehearse.text import migration_files
from pgrehearse.text.front_matter import Database
from pgrehearse.text.project import Project
from pgrehearse.text.split import SplitError, split

__all__ = ["Databases", "clone", "drop"]

#: Seconds a server may take to recover from a crash.
_RECOVERY = 15.0
_ADMIN, _CLONE = "admin", "clone"


# A backend goes a few ms after its client. CREATE and DROP DATABASE look for it only every 100 ms.
_TERMINATE = (
    "PERFORM pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname = {name};"
)
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

#: One row of numbers for the whole process: two instances may work on one server.
_numbers = itertools.count(1)


class _ConnectionLost(SetupError):
    pass


def clone(server: Server, name: str, template: str) -> tuple[str, str]:
    """The statements, one message each, that create the database ``name`` as a copy of ``template``.

    The second fails when somebody is connected to ``template`` and does not leave.
    """
    copy = SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {}")
    statement = copy.format(Identifier(name), Identifier(template), SQL(server.copies))
    return _alone(template), statement.as_string()


def drop(name: str) -> tuple[str, str]:
    """The statements, one message each, that end what is connected to the database ``name`` and drop it."""
    forced = SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name))
    return _alone(name, _TERMINATE), forced.as_string()


def _alone(name: str, first: str = "") -> str:
    """A statement that does ``first`` and waits until no backend is on ``name``, 0.1 s at most."""
    return SQL(_ALONE).format(first=SQL(first).format(name=Literal(name)), name=Literal(name)).as_string()


class Databases:
    """Disposable databases on one server. Every one is marked, and dropped unless it is kept."""

    def __init__(self, server: Server, project: Project) -> None:
        self.server = server
        self.project = project
        self._templates: dict[Database, str] = {}
        self._names: set[str] = set()  # every database made here that is to be dropped in the end
        #: connections by purpose: one clones, so that the others need not wait for a clone under way
        self._sessions: dict[str, Session] = {}
        self._prepared: tuple[str, Database] | None = None

    def fresh(self, wanted: Database, hint: str) -> str:
        """Create a database in the wanted state and return its name. ``hint`` makes the name readable."""
        try:
            return self._fresh(wanted, hint)
        except _ConnectionLost:  # the last document crashed the server, and every connection went with it
            for session in self._sessions.values():
                session.close()
            self._sessions.clear()
            return self._fresh(wanted, hint)

    def _fresh(self, wanted: Database, hint: str) -> str:
        prepared, self._prepared = self._prepared, None
        if prepared is not None:
            self._finish(_CLONE)
            if prepared[1] == wanted:
                return self._named(prepared[0], hint)
            self.drop(prepared[0])
        name = self._new_name(hint)
        self._start_clone(name, wanted)
        self._finish(_CLONE)
        return self._marked(name)

    def prepare(self, wanted: Database) -> None:
        """Begin to create the next database; ``fresh`` takes it."""
        if self._prepared is None:
            name = self._new_name("next")
            self._start_clone(name, wanted)
            self._prepared = name, wanted

    def drop(self, name: str) -> None:
        """Drop a database, ending whatever is still connected to it."""
        for statement in drop(name):
            self._execute(statement)
        self._names.discard(name)

    def keep(self, name: str) -> None:
        """Leave a database to the reader: ``close`` does not drop it."""
        self._names.discard(name)

    def close(self) -> None:
        """Leave nothing behind: every database made here goes, also one that Ctrl-C found half made."""
        self._prepared = None
        for purpose, session in self._sessions.items():
            if not session.finished:
                session.cancel()
                with suppress(SetupError):
                    self._finish(purpose)
        for name in sorted(self._names):
            with suppress(SetupError):
                self.drop(name)
        for session in self._sessions.values():
            session.close()
        self._templates, self._sessions = {}, {}

    def _start_clone(self, name: str, wanted: Database) -> None:
        template = self._template(wanted)
        self._names.add(name)
        statements = clone(self.server, name, template)
        self._session(_CLONE).start([Message(statement, 1) for statement in statements])

    def _template(self, wanted: Database) -> str:
        if wanted.empty:
            return "template1"
        if wanted not in self._templates:
            name = self._new_name(f"template_{wanted.rows}")
            self._names.add(name)
            self._execute(SQL("CREATE DATABASE {}").format(Identifier(name)).as_string())
            self._marked(name)
            try:
                self._build(name, wanted)
            except PgRehearseError:
                self.drop(name)  # nobody may take a half-built one for a template
                raise
            self._templates[wanted] = name
        return self._templates[wanted]

    def _build(self, name: str, wanted: Database) -> None:
        session = Session("template", self.server.dsn(name))
        try:
            for migration in migration_files.load(self.project.migrations):
                up = migration.up
                steps = _messages(up.sql, up.line, migration.path)
                if up.transaction:
                    steps = [Message("BEGIN", up.line), *steps, Message("COMMIT", up.line)]
                _run(session, steps, migration.path)
            if self.project.seed.is_file():
                with psycopg.connect(self.server.dsn(name), autocommit=True) as connection:
                    seeds.load(connection, self.project.seed, wanted.rows)
        finally:
            session.close()

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

    def _named(self, name: str, hint: str) -> str:
        wanted = self._new_name(hint)
        rename = SQL("ALTER DATABASE {} RENAME TO {}").format(Identifier(name), Identifier(wanted))
        self._names.add(wanted)
        self._execute(rename.as_string())
        self._names.discard(name)
        return self._marked(wanted)

    def _new_name(self, hint: str) -> str:
        number = next(_numbers)
        readable = re.sub(r"[^a-z0-9]+", "_", hint.lower()).strip("_")[:30]
        return f"pgrehearse_{os.getpid()}_{number}_{readable}"

    def _session(self, purpose: str) -> Session:
        session = self._sessions.get(purpose)
        if session is None or (session.error is not None and session.error.lost):
            session = self._sessions[purpose] = self._connected(purpose)
        return session

    def _connected(self, purpose: str) -> Session:
        """A new session; after a crash the server needs a moment until it takes one."""
        limit = time.monotonic() + _RECOVERY
        while True:
            try:
                return Session(purpose, self.server.dsn())
            except SetupError as error:
                if "the database system is" not in error.message or time.monotonic() > limit:
                    raise
                time.sleep(0.02)

    def _execute(self, sql: str) -> None:
        self._session(_ADMIN).start([Message(sql, 1)])
        self._finish(_ADMIN)

    def _finish(self, purpose: str) -> None:
        session = self._sessions[purpose]
        while not session.pump(1.0):
            pass
        if session.error is not None:
            raise (_ConnectionLost if session.error.lost else SetupError)(
                f"a disposable database could not be made: {session.error.text}",
                next_step="check the server's log and its free disk space",
            )


def _messages(sql: str, first_line: int, path: Path) -> list[Message]:
    try:
        return [Message(s.sql, first_line + s.line - 1, s.gexec) for s in split(sql)]
    except SplitError as error:
        line = first_line + error.line - 1
        raise DocumentError(error.message, path=path, line=line, next_step=error.fix) from None


def _run(session: Session, messages: list[Message], path: Path) -> None:
    if (error := session.run(messages)) is not None:
        raise DocumentError(
            f"the template database could not be built: {error.text}",
            path=path,
            line=error.line,
            next_step="mend the statement",
        )
