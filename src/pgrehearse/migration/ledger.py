"""The ledger: what was done to a database, kept in that database.

``public.schema_migrations`` is dbmate's own table and says which versions are applied, so that a team can go
from one tool to the other. The schema ``pgrehearse`` adds what dbmate does not keep: every attempt with its
file's hash, and every statement with its cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from pgrehearse.text.migrations import Migration

__all__ = ["OWN", "Applied", "Attempt", "Cost", "Ledger"]

#: What the ledger occupies: no part of anybody's schema.
OWN = ("schema pgrehearse", "table public.schema_migrations")

_CREATE = """
CREATE TABLE IF NOT EXISTS public.schema_migrations (version varchar(128) PRIMARY KEY);
CREATE SCHEMA IF NOT EXISTS pgrehearse;
CREATE TABLE IF NOT EXISTS pgrehearse.attempt (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version text NOT NULL,
    name text NOT NULL,
    direction text NOT NULL CHECK (direction IN ('up', 'down')),
    sha256 text NOT NULL,
    who text NOT NULL DEFAULT session_user,
    started timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished timestamptz,
    outcome text NOT NULL DEFAULT 'running'
        CHECK (outcome IN ('running', 'done', 'failed', 'interrupted', 'adopted')),
    error text
);
CREATE TABLE IF NOT EXISTS pgrehearse.statement (
    attempt bigint NOT NULL REFERENCES pgrehearse.attempt ON DELETE CASCADE,
    number int NOT NULL,
    line int NOT NULL,
    sql text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('running', 'done', 'failed', 'rolled back')),
    milliseconds double precision,
    lock_wait_ms double precision,
    wal_bytes bigint,
    rows bigint,
    rewritten text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (attempt, number)
);
"""
_COMMENTS = """
COMMENT ON SCHEMA pgrehearse IS 'What migrations did to this database; written by pgrehearse db.';
COMMENT ON TABLE pgrehearse.attempt IS 'One try to apply or undo a migration; adopted: found applied.';
COMMENT ON TABLE pgrehearse.statement IS 'What the statements of an attempt cost.';
COMMENT ON COLUMN pgrehearse.statement.wal_bytes IS 'WAL of the whole server while the statement ran.';
"""
_EXISTS = "SELECT to_regclass('public.schema_migrations'), to_regclass('pgrehearse.statement')"
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
       (SELECT coalesce(json_agg(json_build_object('number', number, 'line', line, 'sql', sql,
           'outcome', outcome, 'milliseconds', milliseconds, 'lock_wait_ms', lock_wait_ms,
           'wal_bytes', wal_bytes, 'rows', rows, 'rewritten', rewritten) ORDER BY number), '[]')
          FROM pgrehearse.statement WHERE attempt = a.id) AS statements
  FROM pgrehearse.attempt AS a ORDER BY a.id
"""


@dataclass(frozen=True)
class Applied:
    """An applied version. ``sha256`` and ``at`` are None where another tool applied it."""

    version: str
    sha256: str | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Cost:
    """One statement as it ran. Times in milliseconds; ``rows`` is None for what has none."""

    number: int
    line: int
    sql: str
    outcome: str
    milliseconds: float | None = None
    lock_wait_ms: float | None = None
    wal_bytes: int | None = None
    rows: int | None = None
    rewritten: tuple[str, ...] = ()


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

    def create(self) -> None:
        """Make the tables where they are missing."""
        with self.connection.transaction():
            if self._tables() != (True, True):
                self.connection.execute(_CREATE)
                self.connection.execute(_COMMENTS)

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

    def note(self, attempt: int, cost: Cost) -> None:
        """Write one statement of ``attempt``, or write it again."""
        self.connection.execute(
            "INSERT INTO pgrehearse.statement VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (attempt, number) DO UPDATE SET (outcome, milliseconds, lock_wait_ms, wal_bytes,"
            " rows, rewritten) = (excluded.outcome, excluded.milliseconds, excluded.lock_wait_ms,"
            " excluded.wal_bytes, excluded.rows, excluded.rewritten)",
            [
                attempt,
                cost.number,
                cost.line,
                cost.sql,
                cost.outcome,
                cost.milliseconds,
                cost.lock_wait_ms,
                cost.wal_bytes,
                cost.rows,
                list(cost.rewritten),
            ],
        )

    def end(self, attempt: int, migration: Migration, direction: str) -> None:
        """The attempt is done: the version is applied, or no longer. Call it inside a transaction."""
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

    def fail(self, attempt: int, error: str) -> None:
        """The attempt failed; it stays recorded."""
        self.connection.execute(
            "UPDATE pgrehearse.attempt SET outcome = 'failed', finished = clock_timestamp(), error = %s"
            " WHERE id = %s AND outcome = 'running'",
            [error, attempt],
        )

    def _tables(self) -> tuple[bool, bool]:
        row = self.connection.execute(_EXISTS).fetchone()
        assert row is not None
        return row[0] is not None, row[1] is not None
