"""A disposable database that goes through the migrations, file by file, for the checks to look at."""

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
from pgrehearse.execution.databases import Databases
from pgrehearse.execution.maker import Maker
from pgrehearse.measurement import xray_schema as schemas
from pgrehearse.measurement.statement.client import Client
from pgrehearse.migration.policy.file import File, Written
from pgrehearse.servers.base import Server
from pgrehearse.text.front_matter import Database
from pgrehearse.text.project import Project

__all__ = ["Failed", "Playback"]

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
    """A statement PostgreSQL refused. ``written`` is None for the COMMIT of the file."""

    written: Written | None
    said: str
    sqlstate: str


class Playback:
    """The database after the files applied so far: ``work``.

    Args:
        server: a disposable server; with ``schema`` as `ordinary` gives it, because that is code of others.
        project: its seed gives the rows to measure with.
        rows: how many.
        schema: a dump to start from, instead of an empty database.
    """

    def __init__(self, server: Server, project: Project, rows: int, schema: Path | None = None) -> None:
        self.server = server
        self.project = project
        self.rows = rows
        self.notes: list[str] = []  # what of ``schema`` could not be made
        self._databases = Databases(server.watching, project)
        self._maker = Maker(server)
        self.work = self._maker.create("replay")
        if schema is not None:
            try:
                self.notes = schemas.filled(server, self.work, schema)
            except BaseException:
                self.__exit__()
                raise
        self._final: str | None = None

    def __enter__(self) -> Playback:
        return self

    def __exit__(self, *exc: object) -> None:
        self._maker.close()
        self._databases.close()

    def client(self) -> Client:
        """A connection to ``work``; close it before the next clone."""
        return Client(self.server.dsn(self.work))

    def apply(self, file: File, look: Callable[[Client, Written], None] | None = None) -> Failed | None:
        """Run the up part. ``look`` is called after each statement, in the transaction if any."""
        whole = file.migration.up.transaction
        with self.client() as client:
            if whole:
                client.run("BEGIN")
            for written in file.up:
                if client.run(written.sql):
                    return Failed(written, client.reason, client.sqlstate)
                if look is not None:
                    look(client, written)
            if whole and client.run("COMMIT"):
                return Failed(None, client.reason, client.sqlstate)
        return None

    def filled(self) -> str:
        """A clone of ``work`` with rows: those of the seed, or of the seed after all migrations.

        A seed fits the schema it was written for, usually the newest. Where it fails, the columns that both
        have are copied from there. Tables that get no row stay empty; the measurement says so.
        """
        name = self._clone()
        if self._seed(name):
            return name
        self._maker.drop(name)
        name = self._clone()
        source = self._newest()
        if source is not None:
            _copy(self.server.watching.dsn(source), self.server.dsn(name))
        return name

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
