"""A disposable database that goes through the migrations, file by file, for the checks to look at.

Files that are checked are sent as a runner sends them; files that are applied, which may be of any age and
tool, as psql would.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from pgrehearse import queries
from pgrehearse.connections import connect
from pgrehearse.errors import DocumentError, PgRehearseError
from pgrehearse.execution import seeds
from pgrehearse.execution.assumed_roles import Roles
from pgrehearse.execution.databases import Databases
from pgrehearse.execution.maker import Maker
from pgrehearse.measurement import made_rows
from pgrehearse.measurement import xray_schema as schemas
from pgrehearse.measurement.statement.client import Client
from pgrehearse.migration.policy.judged_file import File, Written
from pgrehearse.schema import foreign_sql
from pgrehearse.servers.base import Server
from pgrehearse.text import script
from pgrehearse.text.front_matter import Database
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.project import Project
from pgrehearse.text.split import SplitError, Statement
from pgrehearse.text.statement import classify

__all__ = ["Failed", "Filled", "Playback"]

_TABLES = f"""
SELECT n.nspname, c.relname,
       pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '')
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND {queries.APPLICATION_TABLE}
 GROUP BY 1, 2
"""
_SEQUENCES = (
    "SELECT schemaname, sequencename, last_value FROM pg_catalog.pg_sequences WHERE last_value IS NOT NULL"
)
Name = tuple[str, str]


@dataclass(frozen=True)
class Failed:
    """A statement PostgreSQL refused, and its line; that of the file's first one for its COMMIT."""

    line: int
    said: str
    sqlstate: str
    sql: str = ""


@dataclass(frozen=True)
class Filled:
    """A copy with rows: its name, and the tables whose rows were made here.

    ``of_all``: rows came from a database with all migrations.
    """

    name: str
    made: tuple[str, ...] = ()
    of_all: bool = False


class Playback:
    """The database after the files applied so far: ``work``.

    Args:
        server: a disposable server; with ``schema`` as `ordinary` gives it, because that is code of others.
        project: its seed gives the rows to measure with.
        rows: how many.
        settings: SET statements that measured sessions begin with.
        schema: a dump to start from, instead of an empty database.
    """

    def __init__(
        self,
        server: Server,
        project: Project,
        rows: int,
        schema: Path | None = None,
        settings: Sequence[str] = (),
    ) -> None:
        self.server = server
        self.project = project
        self.rows = rows
        self.settings = settings
        self.notes: list[str] = []  # what of ``schema`` could not be made
        self._databases = Databases(server.watching, project)
        self._maker = Maker(server)
        self.roles = Roles(server, project)
        self.work = self._maker.create("replay")
        try:
            if schema is not None:
                self.notes = schemas.filled(server, self.work, schema)
            else:
                self.roles.declare(self.work)
        except BaseException:
            self.__exit__()
            raise
        self._final: str | None = None

    def __enter__(self) -> Playback:
        return self

    def __exit__(self, *exc: object) -> None:
        self._maker.close()
        self._databases.close()
        self.roles.close()

    def client(self) -> Client:
        """A connection to ``work``; close it before the next clone."""
        return Client(self.server.dsn(self.work))

    def apply(self, file: File, look: Callable[[Client, Written], None] | None = None) -> Failed | None:
        """Run the up part. ``look`` is called after each statement, in the transaction if any."""
        while (failed := self._apply(file, look)) is not None and self._helped(failed):
            pass
        return failed

    def _apply(self, file: File, look: Callable[[Client, Written], None] | None) -> Failed | None:
        whole = file.migration.up.transaction
        with self.client() as client:
            if whole:
                client.run("BEGIN")
            for written in file.up:
                if self._skipped(file.migration, written.sql, written.line):
                    continue
                if client.run(written.sql, written.rows):
                    return Failed(written.line, client.reason, client.sqlstate, written.sql)
                if look is not None:
                    look(client, written)
            if whole and client.run("COMMIT"):
                return Failed(file.up[-1].line, client.reason, client.sqlstate)
        return None

    def replay(self, migration: Migration) -> Failed | None:
        """Run the up part of a file that is applied, as psql would: whatever it holds, it has run once."""
        while (failed := self._replay(migration)) is not None and self._helped(failed):
            pass
        return failed

    def _helped(self, failed: Failed) -> bool:
        """Whether a file may be tried again: the role that it takes for granted is there now."""
        if not self.roles.supplied(failed.said):
            return False
        self.notes.append(f"the role {self.roles.assumed[-1]} is taken for granted")
        return True

    def _replay(self, migration: Migration) -> Failed | None:
        section = migration.up
        try:
            todo = script.statements(section.sql.replace("\r\n", "\n"))
        except SplitError as error:
            return Failed(section.line + error.line - 1, f"{error.message}; {error.fix}", "")
        if section.transaction:
            todo = [Statement("BEGIN", 1), *todo, Statement("COMMIT", 1)]
        with connect(self.server.dsn(self.work), autocommit=True, prepare_threshold=None) as connection:
            for one in todo:
                line = section.line + one.line - 1
                if self._skipped(migration, one.sql, line):
                    continue
                if (refused := foreign_sql.run(connection, one)) is not None:
                    at = section.line + refused.line - 1
                    return Failed(at, refused.text, refused.sqlstate, one.sql)
        return None

    def _skipped(self, migration: Migration, sql: str, line: int) -> bool:
        """Whether a statement is left out: it reaches further than a database, or did what it does before."""
        kind = classify(sql)
        if kind.outside:
            self.notes.append(
                f"{migration.path.name}:{line}: {kind.called} acts beyond its database and is not run"
            )
        return kind.outside or self.roles.repeated(sql)

    def filled(self, known: Sequence[str] = (), *, made: bool = True, nulls: int = made_rows.NULLS) -> Filled:
        """A clone of ``work`` with rows: those of the seed, or of the seed after all migrations.

        A seed fits the schema it was written for, usually the newest. Where it fails, the columns that both
        have are copied from there. Tables that got no row get some that are made for them.

        Args:
            known, nulls: see `made_rows.fill`.
            made: whether to make any.
        """
        name, of_all = self._clone(), False
        if not self._seed(name):
            of_all = True
            self._maker.drop(name)
            name = self._clone()
            source = self._newest()
            if source is not None:
                _copy(self.server.watching.dsn(source), self.server.dsn(name))
        done = made_rows.fill(self.server.dsn(name), self.rows, known, nulls=nulls) if made else ()
        return Filled(name, done, of_all)

    def drop(self, name: str) -> None:
        """Drop a clone that `filled` made."""
        self._maker.drop(name)

    def _clone(self) -> str:
        return self._maker.create("filled", self.work)

    def _seed(self, name: str) -> bool:
        if not self.project.seed.is_file():
            return True
        try:
            with connect(self.server.dsn(name), autocommit=True) as connection:
                seeds.load(connection, self.project.seed, self.rows)
        except DocumentError:
            return False
        return True

    def _newest(self) -> str | None:
        """A database with all migrations and the seed; None when they do not run to the end."""
        if self._final is None:
            try:
                self._final = self._databases.fresh(Database(rows=self.rows), "policy")
            except PgRehearseError:
                self._final = ""
        return self._final or None


def _copy(source: str, target: str) -> None:
    """Rows of ``source`` into the empty tables of ``target``, both DSNs: the columns that both have."""
    with connect(source, autocommit=True) as old, connect(target, autocommit=True) as new:
        new.execute("SET session_replication_role = replica")  # foreign keys and triggers were obeyed there
        have, wanted = _tables(old), _tables(new)
        for name in sorted(have.keys() & wanted.keys()):
            columns = [column for column in wanted[name] if column in have[name]]
            _copy_table(old, new, name, columns)
        for schema, sequence, value in old.execute(_SEQUENCES).fetchall():
            _try(
                new,
                SQL("SELECT pg_catalog.setval({}, {})").format(
                    f"{Identifier(schema, sequence).as_string(new)}", value
                ),
            )


def _copy_table(old: psycopg.Connection, new: psycopg.Connection, name: Name, columns: Sequence[str]) -> None:
    table = Identifier(*name)
    names = SQL(", ").join(map(Identifier, columns))
    read = SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(names, table)
    write = SQL("COPY {} ({}) FROM STDIN").format(table, names)
    try:
        with new.cursor().copy(write) as into, old.cursor().copy(read) as out:
            for data in out:
                into.write(data)
    except psycopg.Error:  # the columns in common are not enough for a row: the table stays empty
        return


def _try(connection: psycopg.Connection, statement: object) -> None:
    try:
        connection.execute(statement)  # type: ignore[call-overload]
    except psycopg.Error:
        return


def _tables(connection: psycopg.Connection) -> dict[Name, list[str]]:
    rows = connection.execute(_TABLES).fetchall()
    return {(schema, table): columns or [] for schema, table, columns in rows}
