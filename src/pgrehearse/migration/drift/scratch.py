"""A scratch server, and databases on it that hold what files define.

The server is ours alone and ends with us. So its roles can be those of the definition and no others: a role
that migrations take for granted is made, plain, when the first statement asks for it (`lent`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg.sql import SQL, Identifier

from pgrehearse.connections import connect
from pgrehearse.errors import DocumentError, first_line
from pgrehearse.migration.drift.lent import Lent, ScratchRunner
from pgrehearse.migration.runner import exclusive
from pgrehearse.schema import extensions, foreign_sql
from pgrehearse.schema.definition import Reading, reading
from pgrehearse.schema.dump import dump
from pgrehearse.schema.dump_text import split
from pgrehearse.schema.roles import names
from pgrehearse.servers import start
from pgrehearse.text.migration_files import Migration, statements
from pgrehearse.text.split import Statement
from pgrehearse.text.statement import classify

__all__ = ["Scratch"]

_ADMIN = "pgrehearse_scratch"
_OWNER = "pgrehearse_scratch_owner"  # of what a file makes
_AGAIN = "pgrehearse_again"  # a database made by a dump of another one
#: What only a superuser may say, and what runs none of the file's own code.
_HARMLESS = (
    ("alter", "event", "trigger"),
    ("alter", "operator", "family"),
    ("alter", "publication"),
    ("comment", "on", "event", "trigger"),
    ("comment", "on", "extension"),
    ("comment", "on", "operator", "class"),
    ("comment", "on", "operator", "family"),
    ("create", "event", "trigger"),
    ("create", "operator", "class"),
    ("create", "operator", "family"),
    ("create", "publication"),
)
_SETTINGS = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "lc_messages": "C",
    "synchronous_commit": "off",
}
#: What a newer pg_dump sets is unknown to an older server.
_NEWER = "SET transaction_timeout = 0"
#: Those of extensions; a file cannot make its own.
_WRAPPERS = "SELECT fdwname FROM pg_catalog.pg_foreign_data_wrapper"
_POWERS = (
    "the file is carried out by a role without powers, for it may hold anybody's code; what only a superuser"
    " may make cannot be compared with it: --only live and --only files do without the file"
)


@dataclass
class Scratch:
    """A server of ``major`` with the roles of ``runner``. Raises what `servers.start` raises.

    ``own``: roles that are no part of any definition.
    """

    major: int
    runner: ScratchRunner = field(default_factory=ScratchRunner)
    roles: Path | None = None
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lent = Lent(self.runner, self.notes)
        self.own = {_ADMIN, _OWNER}

    def __enter__(self) -> Self:
        self._server = start(self.major, settings=_SETTINGS)
        try:
            with connect(self._server.dsn("template1"), autocommit=True) as connection:
                connection.execute(SQL("CREATE ROLE {} SUPERUSER LOGIN").format(Identifier(_ADMIN)))
                connection.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(_OWNER)))
            with self.connect("template1") as connection:
                if self.runner.superuser != "postgres":
                    rename = SQL("ALTER ROLE postgres RENAME TO {}")
                    connection.execute(rename.format(Identifier(self.runner.superuser)))
        except BaseException:
            self._server.stop()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.stop()

    @property
    def named(self) -> set[str]:
        """The roles that the definition itself made."""
        with self.connect("template1") as connection:
            return names(connection) - self.lent.roles - self.own

    def reading(self, name: str, named: set[str]) -> Reading:
        """What one of the databases defines."""
        return reading(self._server.dsn(name, self.runner.superuser), named, sorted(self.own))

    def migrated(self, migrations: Sequence[Migration]) -> str:
        """Make the runner's database by ``roles`` and ``migrations``; its name.

        Raises DocumentError: a file cannot be carried out.
        """
        runner, name = self.runner, self.runner.database
        self._create(name)
        if self.roles is not None and self.roles.is_file():
            with self.connect(name, runner.superuser) as connection:
                self._carry_out(connection, self.roles, foreign_sql.read(self.roles, {"DBNAME": name}))
        with self.connect(name, runner.superuser) as connection:
            self.lent.role(connection, runner.role, runner.attributes)
            self.lent.role(connection, runner.owner)
            owner = connection.execute(
                "SELECT pg_catalog.pg_get_userbyid(datdba) FROM pg_catalog.pg_database"
                " WHERE datname = pg_catalog.current_database()"
            ).fetchone()
            declared = owner is not None and owner[0] != runner.superuser
            change = SQL("ALTER DATABASE {} OWNER TO {}")
            if not declared:
                connection.execute(change.format(Identifier(name), Identifier(runner.role)))
            with self.connect(name, runner.role) as worker:
                for migration in migrations:
                    self._apply(connection, worker, migration)
            self.lent.take_back(connection)
            if not declared and runner.owner == runner.superuser:
                connection.execute(change.format(Identifier(name), Identifier(runner.owner)))
        return name

    def loaded(self, file: Path) -> str:
        """Make a database by the statements of ``file``, as pg_dump or dbmate wrote it; its name.

        A role without powers makes it, so that no code in the file gets any.

        Raises DocumentError with the line that failed.
        """
        name = "pgrehearse_file"
        todo = [one for one in foreign_sql.read(file) if self.major > 16 or one.sql != _NEWER]
        todo.sort(key=lambda one: "event" in classify(one).words[1:3])  # what they fire at is made by then
        self._create(name, _OWNER)
        self.quiet(name)
        with self.connect(name, _OWNER) as owner, self.connect(name, self.runner.superuser) as superuser:
            for _ in extensions.make(superuser, _OWNER, todo):
                pass
            for (wrapper,) in superuser.execute(_WRAPPERS).fetchall():
                grant = SQL("GRANT USAGE ON FOREIGN DATA WRAPPER {} TO {}")
                superuser.execute(grant.format(Identifier(wrapper), Identifier(_OWNER)))
            for harmless, part in groupby(todo, key=_is_harmless):
                self._carry_out(superuser if harmless else owner, file, part)
        return name

    def reloaded(self, name: str, named: set[str]) -> Reading:
        """What a database made by a dump of ``name`` defines, without what does not come back."""
        dsn = self._server.dsn(name, self.runner.superuser)
        self._create(_AGAIN)
        self.quiet(_AGAIN)
        with self.connect(_AGAIN, self.runner.superuser) as connection:
            todo = (Statement(raw.sql, 1) for raw in split(dump(dsn, ledger=False).text))
            for _ in foreign_sql.load(connection, todo):
                pass
        return self.reading(_AGAIN, named)

    def dump(self, name: str) -> str:
        """The schema as ``dbmate dump`` writes it, dbmate's own table included."""
        with self.connect(name, self.runner.superuser) as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS public.schema_migrations (version varchar PRIMARY KEY)"
            )
        return dump(self._server.dsn(name, self.runner.superuser), owners=False, key="dbmate").text

    def quiet(self, name: str) -> None:
        """What the superuser does in the database fires no event trigger of its file, least of all login."""
        if self.major > 16:
            quiet = SQL("ALTER ROLE {} IN DATABASE {} SET event_triggers = off")
            with self.connect("template1") as connection:
                for role in (_ADMIN, self.runner.superuser):
                    connection.execute(quiet.format(Identifier(role), Identifier(name)))

    def _create(self, name: str, owner: str = "") -> None:
        with self.connect("template1") as connection:
            connection.execute(SQL("DROP DATABASE IF EXISTS {}").format(Identifier(name)))
            create = SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(
                Identifier(name), Identifier(owner or self.runner.superuser)
            )
            try:
                connection.execute(create + SQL(" ") + SQL(self.runner.locale))
            except psycopg.Error:
                connection.execute(create)
                self.notes.append("the scratch server lacks the live database's locale, so it has its own")

    def _carry_out(self, connection: psycopg.Connection[Any], file: Path, todo: Iterable[Statement]) -> None:
        """Carry out ``todo``, the statements of ``file``, and make the roles it lacks."""
        for first in foreign_sql.load(connection, todo):
            refused: foreign_sql.RefusedStatement | None = first
            while refused is not None and not extensions.is_made(refused):
                with self.connect("template1") as admin:
                    lent = self.lent.unknown_role(admin, refused.text)
                if lent:
                    refused = foreign_sql.run(connection, refused.statement)
                    continue
                raise DocumentError(
                    f"this file cannot be carried out: {refused.text}",
                    path=file,
                    line=refused.line,
                    next_step=_POWERS
                    if refused.sqlstate == "42501"
                    else "mend the file; pgrehearse db check --write-schema makes db/schema.sql anew",
                )

    def _apply(
        self, admin: psycopg.Connection[Any], worker: psycopg.Connection[Any], migration: Migration
    ) -> None:
        section = migration.up
        exclusive.reset(worker)
        if section.transaction:  # one message: the server splits it faster than we do
            steps = [(f"BEGIN;{section.sql}\n;COMMIT", section.line)]
        else:
            steps = [(one.sql, section.line + one.line - 1) for one in statements(migration, section)]
        for sql, line in steps:
            while (error := self._step(worker, sql)) is not None:
                if not self.lent.helps(admin, error):
                    raise DocumentError(
                        f"the scratch database cannot be built: {first_line(error)}",
                        path=migration.path,
                        line=self._failing(worker, migration) if section.transaction else line,
                        next_step="the migration must run on an empty server: declare in db/roles.sql what it"
                        " takes for granted; an extension must be installed here too",
                    )

    def _step(self, worker: psycopg.Connection[Any], sql: str) -> psycopg.Error | None:
        try:
            worker.execute(sql.encode())
        except psycopg.Error as error:
            worker.execute("ROLLBACK")
            return error
        return None

    def _failing(self, worker: psycopg.Connection[Any], migration: Migration) -> int:
        """The line of the statement that fails; the message to the server held all of them."""
        section, line = migration.up, migration.up.line
        worker.execute("BEGIN")
        try:
            for one in statements(migration, section):
                line = section.line + one.line - 1
                worker.execute(one.sql.encode())
        except psycopg.Error:
            pass
        worker.execute("ROLLBACK")
        return line

    def connect(self, name: str, role: str = _ADMIN) -> psycopg.Connection[Any]:
        """A session of ``role`` in one of the databases."""
        return connect(self._server.dsn(name, role), autocommit=True, prepare_threshold=None)


def _is_harmless(statement: Statement) -> bool:
    words = classify(statement).words
    return any(words[: len(one)] == one for one in _HARMLESS)
