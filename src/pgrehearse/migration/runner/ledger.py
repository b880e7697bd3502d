"""The ledger: what was done to a database, kept in that database.

``public.schema_migrations`` is dbmate's own table and says which versions are applied, so that a team can go
from one tool to the other. The schema ``pgrehearse`` adds what dbmate does not keep: every attempt with its
file's hash, and every statement with its cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from pgrehearse import queries
from pgrehearse.text.migration_files import Migration

__all__ = ["Applied", "Attempt", "Cost", "Ledger"]

_VERSIONS = "CREATE TABLE public.schema_migrations (version varchar(128) PRIMARY KEY)"
_EXISTS = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_class AS c
                 JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                WHERE n.nspname = 'public' AND c.relname = 'schema_migrations'),
       EXISTS (SELECT FROM pg_catalog.pg_class AS c
                 JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                WHERE n.nspname = 'pgrehearse' AND c.relname = 'statement')
"""
_ELSEWHERE = f"""
SELECT n.nspname
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'version'
 WHERE c.relname = 'schema_migrations' AND c.relkind IN ('r', 'p')
   AND {queries.APPLICATION_SCHEMA} AND n.nspname <> 'public'
 ORDER BY n.nspname
"""
_APPLIED = """
SELECT m.version, a.sha256, a.finished
  FROM public.schema_migrations AS m
  LEFT JOIN LATERAL (
      SELECT sha256, finished FROM pgrehearse.attempt
       WHERE version = m.version AND direction = 'up' AND outcome IN ('done', 'adopted')
       ORDER BY id DESC LIMIT 1) AS a ON true
 ORDER BY m.version
"""
_ATTEMPTS = """
SELECT a.id, a.version, a.name, a.direction, a.sha256, a.who, a.started, a.finished, a.outcome, a.error,
       (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
           'number', number, 'line', line, 'sql', sql,
           'outcome', outcome, 'milliseconds', milliseconds, 'lock_wait_ms', lock_wait_ms,
           'wal_bytes', wal_bytes, 'rows', rows, 'rewritten', rewritten, 'tries', tries)
           ORDER BY number), '[]')
          FROM pgrehearse.statement WHERE attempt = a.id) AS statements
  FROM pgrehearse.attempt AS a ORDER BY a.id
"""
_NOTE = """
INSERT INTO pgrehearse.statement (attempt, number, line, sql, outcome, milliseconds, lock_wait_ms, wal_bytes,
    rows, rewritten, tries)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (attempt, number) DO UPDATE SET (outcome, milliseconds, lock_wait_ms, wal_bytes, rows, rewritten,
    tries) = (excluded.outcome, excluded.milliseconds, excluded.lock_wait_ms, excluded.wal_bytes,
    excluded.rows, excluded.rewritten, excluded.tries)
"""


@dataclass(frozen=True)
class Applied:
    """An applied version. ``sha256`` and ``at`` are None where another tool applied it."""

    version: str
    sha256: str | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Cost:
    """One statement as it ran. Times in milliseconds; ``rows`` is None for what has none.

    ``sql`` is without passwords. ``lock_wait_ms`` is the waiting of all ``tries``, the rest that of the last.
    """

    number: int
    line: int
    sql: str
    outcome: str
    milliseconds: float | None = None
    lock_wait_ms: float | None = None
    wal_bytes: int | None = None
    rows: int | None = None
    rewritten: tuple[str, ...] = ()
    tries: int = 1


@dataclass(frozen=True)
class Attempt:
    """One try. ``outcome``: running, done, failed, interrupted or adopted."""

    id: int
    version: str
    name: str
    direction: str
    sha256: str
    who: str
    started: datetime
    finished: datetime | None
    outcome: str
    error: str | None
    statements: tuple[Cost, ...] = field(default=())


class Ledger:
    """Reads and writes the ledger of the database ``connection`` leads to. Raises psycopg.Error."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self._connected = connection.info.user

    def create(self) -> None:
        """Make the tables where they are missing."""
        versions, ours = self._tables()
        with self._writing():
            if not versions:
                self.connection.execute(_VERSIONS)
            if not ours:
                self.connection.execute(queries.text("ledger"))

    def elsewhere(self) -> dict[str, set[str]]:
        """Versions in tables ``schema_migrations`` of other schemas than public, by schema.

        dbmate makes one there when the URL it is given has another search path.
        """
        found = {}
        for (schema,) in self.connection.execute(_ELSEWHERE).fetchall():
            table = SQL("SELECT version::pg_catalog.text FROM {}").format(
                Identifier(schema, "schema_migrations")
            )
            found[str(schema)] = {str(row[0]) for row in self.connection.execute(table)}
        return found

    def applied(self) -> dict[str, Applied]:
        """Applied versions in order; empty where nothing was ever applied."""
        versions, ours = self._tables()
        if not versions:
            return {}
        if ours:
            found = [Applied(*row) for row in self.connection.execute(_APPLIED)]
        else:
            query = "SELECT version FROM public.schema_migrations ORDER BY version"
            found = [Applied(row[0]) for row in self.connection.execute(query)]
        return {one.version: one for one in found}

    def attempts(self) -> list[Attempt]:
        """Every attempt with its statements, oldest first."""
        if not self._tables()[1]:
            return []
        found = []
        for row in self.connection.cursor(row_factory=dict_row).execute(_ATTEMPTS):
            costs = tuple(Cost(**{**one, "rewritten": tuple(one["rewritten"])}) for one in row["statements"])
            found.append(Attempt(**{**row, "statements": costs}))
        return found

    def unfinished(self, migration: Migration, direction: str) -> list[Attempt]:
        """Attempts since the migration was last done in either direction that were not finished."""
        found: list[Attempt] = []
        for attempt in self.attempts():
            if attempt.version != migration.version:
                continue
            if attempt.outcome in ("done", "adopted"):
                found = []
            elif attempt.direction == direction:
                found.append(attempt)
        return found

    def half(self, direction: str) -> list[Attempt]:
        """Attempts in ``direction`` that stopped between their statements and were not finished since."""
        found: dict[str, Attempt] = {}
        for attempt in self.attempts():
            if attempt.outcome in ("done", "adopted"):
                found.pop(attempt.version, None)
            elif attempt.direction == direction and any(
                cost.outcome in ("done", "running") for cost in attempt.statements
            ):
                found[attempt.version] = attempt
        return list(found.values())

    def bury(self) -> list[str]:
        """Mark as interrupted what says it is running: we hold the lock, so its runner is gone."""
        rows = self.connection.execute(
            "UPDATE pgrehearse.attempt SET outcome = 'interrupted', finished = clock_timestamp()"
            " WHERE outcome = 'running' RETURNING version || '_' || name"
        )
        return [row[0] for row in rows]

    def adopt(self, migrations: Sequence[Migration]) -> None:
        """Take the hash of ``migrations`` that another tool applied, so that a later edit is noticed."""
        for migration in migrations:
            self.connection.execute(
                "INSERT INTO pgrehearse.attempt (version, name, direction, sha256, outcome)"
                " VALUES (%s, %s, 'up', %s, 'adopted')",
                [migration.version, migration.name, migration.sha256],
            )

    def begin(self, migration: Migration, direction: str) -> int:
        """A new attempt, by its id."""
        row = self.connection.execute(
            "INSERT INTO pgrehearse.attempt (version, name, direction, sha256)"
            " VALUES (%s, %s, %s, %s) RETURNING id",
            [migration.version, migration.name, direction, migration.sha256],
        ).fetchone()
        assert row is not None
        return int(row[0])

    def note(self, attempt: int, *costs: Cost) -> None:
        """Write statements of ``attempt``, or write them again."""
        with self._writing():
            for cost in costs:
                *values, rewritten, tries = astuple(cost)
                self.connection.execute(_NOTE, [attempt, *values, list(rewritten), tries])

    def end(self, attempt: int, migration: Migration, direction: str, *costs: Cost) -> None:
        """The attempt is done, at ``costs``: the version is applied, or no longer."""
        with self._writing():
            self.note(attempt, *costs)
            self.connection.execute(
                "UPDATE pgrehearse.attempt SET outcome = 'done', finished = clock_timestamp() WHERE id = %s",
                [attempt],
            )
            self.connection.execute(
                "INSERT INTO public.schema_migrations (version) VALUES (%s)"
                if direction == "up"
                else "DELETE FROM public.schema_migrations WHERE version = %s",
                [migration.version],
            )

    def fail(self, attempt: int, outcome: str, error: str, costs: Sequence[Cost] = ()) -> None:
        """The attempt failed or was interrupted; it stays recorded."""
        with self._writing():
            self.note(attempt, *costs)
            self.connection.execute(
                "UPDATE pgrehearse.attempt SET outcome = %s, finished = clock_timestamp(), error = %s"
                " WHERE id = %s",
                [outcome, error, attempt],
            )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction, in which the role is the one that connected, whatever a migration took on."""
        with self.connection.transaction():
            row = self.connection.execute(
                "SELECT session_user, pg_catalog.current_setting('role')"
            ).fetchone()
            if row is not None and row[0] != self._connected:
                self.connection.execute("SET LOCAL SESSION AUTHORIZATION DEFAULT")
            if row is not None and row[1] != "none":
                self.connection.execute("SET LOCAL ROLE NONE")
            yield

    def _tables(self) -> tuple[bool, bool]:
        row = self.connection.execute(_EXISTS).fetchone()
        assert row is not None
        return bool(row[0]), bool(row[1])
