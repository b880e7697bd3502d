"""A fresh database per document: cloned from a template that holds the project's migrations and seed.

The next document's database can be made while the current one runs (``prepare``): the server copies files,
nobody waits.
"""

from __future__ import annotations

from pathlib import Path

from pgrehearse.connections import connect
from pgrehearse.errors import DocumentError, PgRehearseError
from pgrehearse.execution import seeds, shared
from pgrehearse.execution.assumed_roles import Roles
from pgrehearse.execution.maker import Maker, made
from pgrehearse.execution.session import Message, Session
from pgrehearse.execution.shared import Shared
from pgrehearse.servers.base import Server
from pgrehearse.text import migration_files
from pgrehearse.text.front_matter import Database
from pgrehearse.text.project import Project
from pgrehearse.text.split import SplitError, split
from pgrehearse.troubles import elsewhere

__all__ = ["Databases"]


class Databases:
    """Databases in the states that documents of ``project`` want. All go with `close`, unless kept."""

    def __init__(self, server: Server, project: Project) -> None:
        self.server = server
        self.project = project
        self.maker = Maker(server)
        #: those of the project, on this server
        self.roles = Roles(server, project)
        #: the document whose database was made last
        self.document: Path | None = None
        self._shared: Shared = None
        self._looked = False  # and nothing was left, since `begin`
        self._templates: dict[Database, str] = {}
        self._prepared: tuple[str, Database] | None = None

    def begin(self, document: Path) -> None:
        """From now on the server is ``document``'s: what it leaves is told by `left`."""
        if not self._looked:
            self._shared = shared.take(self.server, made)
        self.document, self._looked = document, False

    def left(self) -> list[str]:
        """What was left on the server since `begin`, besides databases of ours; by kind and name."""
        if self.document is None or self._looked:
            return []
        found = shared.differences(self._shared, shared.take(self.server, made))
        self._looked = not found
        return found

    def fresh(self, wanted: Database, hint: str) -> str:
        """Create a database in the wanted state and return its name. ``hint`` makes the name readable."""
        return self.maker.surviving(lambda: self._fresh(wanted, hint))

    def _fresh(self, wanted: Database, hint: str) -> str:
        prepared, self._prepared = self._prepared, None
        if prepared is not None:
            if prepared[1] == wanted:
                return self.maker.finish(prepared[0], hint)
            self.maker.settle()
            self.maker.drop(prepared[0])
        return self.maker.create(hint, self._template(wanted))

    def prepare(self, wanted: Database) -> None:
        """Begin to create the next database; ``fresh`` takes it."""
        if self._prepared is None:
            self._prepared = self.maker.begin("next", self._template(wanted)), wanted

    def drop(self, name: str) -> None:
        """Drop a database, ending whatever is still connected to it."""
        self.maker.drop(name)

    def keep(self, name: str) -> None:
        """Leave a database to the reader: ``close`` does not drop it."""
        self.maker.keep(name)

    def close(self) -> None:
        """Leave nothing behind: every database made here goes, also one that Ctrl-C found half made."""
        self._prepared = None
        self.maker.close()
        self.roles.close()
        self._templates = {}

    def abandon(self) -> None:
        """Leave everything as it is: the server goes, with all that is on it."""
        self._prepared = None
        self.maker.abandon()

    def _template(self, wanted: Database) -> str:
        """The name of a database in the wanted state, built when first asked for; nobody works in it."""
        if wanted.empty:
            return "template1"
        if wanted not in self._templates:
            name = self.maker.create(f"template_{wanted.rows}")
            try:
                self._build(name, wanted)
            except PgRehearseError:
                self.maker.drop(name)  # nobody may take a half-built one for a template
                raise
            self.maker.close_door(name)
            self._templates[wanted] = name
        return self._templates[wanted]

    def _build(self, name: str, wanted: Database) -> None:
        self.roles.declare(name)
        session = Session("template", self.server.dsn(name))
        try:
            for migration in migration_files.load(self.project.migrations):
                up = migration.up
                steps = [
                    step
                    for step in _messages(up.sql, up.line, migration.path)
                    if not self.roles.repeated(step.sql)
                ]
                if up.transaction:
                    steps = [Message("BEGIN", up.line), *steps, Message("COMMIT", up.line)]
                _run(session, steps, migration.path)
            if self.project.seed.is_file():
                with connect(self.server.dsn(name), autocommit=True) as connection:
                    seeds.load(connection, self.project.seed, wanted.rows)
        finally:
            session.close()


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
            next_step=elsewhere(error.text, "mend the statement"),
        )
