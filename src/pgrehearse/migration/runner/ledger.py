"""The ledger: what was done to a database, kept in that database.

``public.schema_migrations`` is dbmate's own table and says which versions are applied, so that a team can go
from one tool to the other. The schema ``pgrehearse`` adds what dbmate does not keep: every attempt with its
file's hash, and every statement with its cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Any, LiteralString

import psycopg
from psycopg.rows import class_row, dict_row
from psycopg.sql import SQL, Identifier

from pgrehearse import queries
from pgrehearse.errors import SetupError
from pgrehearse.execution.own_tables import create
from pgrehearse.migration.runner.ledger_rows import (
    Applied,
    AttemptRow,
    Cost,
    KnownLedger,
    RecordedStatements,
    Summary,
)
from pgrehearse.migration.runner.ledger_shape import gone, present, untouched
from pgrehearse.migration.runner.own_session import ours
from pgrehearse.text.migration_files import Migration

__all__ = ["Ledger", "Opened"]

_VERSIONS = "CREATE TABLE public.schema_migrations (version varchar(128) PRIMARY KEY)"
_ELSEWHERE = f"""
SELECT n.nspname
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'version' AND a.atttypid < 16384
 WHERE c.relname = 'schema_migrations' AND c.relkind IN ('r', 'p')
   AND {queries.APPLICATION_SCHEMA} AND n.nspname <> 'public'
 ORDER BY n.nspname
"""
#: Of each version that is applied according to dbmate's table or ours: what ours says, and whether dbmate's
#: does too. Where another tool applied a version again that was undone here, its hash is not known.
_KNOWN = """
SELECT coalesce(m.version, a.version), CASE WHEN a.direction = 'up' THEN a.sha256 END,
       CASE WHEN a.direction = 'up' THEN a.finished END, m.version IS NOT NULL
  FROM public.schema_migrations AS m
  FULL JOIN (SELECT DISTINCT ON (version) version, direction, sha256, finished FROM pgrehearse.attempt
              WHERE outcome IN ('done', 'adopted') ORDER BY version, id DESC) AS a ON a.version = m.version
 WHERE m.version IS NOT NULL OR a.direction = 'up'
 ORDER BY 1
"""
_RECORDED = """
SELECT version FROM (SELECT DISTINCT ON (version) version, direction FROM pgrehearse.attempt
                      WHERE outcome IN ('done', 'adopted') ORDER BY version, id DESC) AS last
 WHERE direction = 'up'
"""
_NUMBERS = (20, 21, 23)  # bigint, smallint, integer
_UNFINISHED = "SELECT EXISTS (SELECT FROM pgrehearse.attempt WHERE outcome NOT IN ('done', 'adopted'))"
_ATTEMPTS = """
SELECT a.id, a.version, a.name, a.direction, a.sha256, a.who, a.started, a.finished, a.outcome, a.error,
       (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
           'number', number, 'line', line, 'sql', sql,
           'outcome', outcome, 'milliseconds', milliseconds, 'lock_wait_ms', lock_wait_ms,
           'wal_bytes', wal_bytes, 'rows', rows, 'rewritten', rewritten, 'tries', tries)
           ORDER BY number), '[]')
          FROM pgrehearse.statement WHERE attempt = a.id) AS statements
  FROM pgrehearse.attempt AS a
"""
#: Attempts in a direction that stopped, and were not finished in any direction since.
_OPEN = """
 WHERE a.direction = %s AND a.outcome NOT IN ('done', 'adopted')
   AND NOT EXISTS (SELECT FROM pgrehearse.attempt AS l
                    WHERE l.version = a.version AND l.outcome IN ('done', 'adopted') AND l.id > a.id)
"""
_HALF = (
    " AND EXISTS (SELECT FROM pgrehearse.statement WHERE attempt = a.id AND outcome IN ('done', 'running'))"
)
_NOTE = """
INSERT INTO pgrehearse.statement (attempt, number, line, sql, outcome, milliseconds, lock_wait_ms, wal_bytes,
    rows, rewritten, tries)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (attempt, number) DO UPDATE SET (outcome, milliseconds, lock_wait_ms, wal_bytes, rows, rewritten,
    tries) = (excluded.outcome, excluded.milliseconds, excluded.lock_wait_ms, excluded.wal_bytes,
    excluded.rows, excluded.rewritten, excluded.tries) WHERE statement.outcome <> 'done'
"""
_COPY = """
COPY pgrehearse.statement (attempt, outcome, number, line, sql, milliseconds, lock_wait_ms, wal_bytes, rows,
    rewritten, tries) FROM STDIN
"""


@dataclass(frozen=True)
class Opened:
    """What a runner found.

    Attributes:
        buried: attempts that it marked as interrupted, by name.
        half: those in the other direction that stopped between their statements and were not finished since.
    """

    known: KnownLedger
    buried: Sequence[str] = ()
    half: Sequence[AttemptRow] = ()


class Ledger:
    """Reads and writes the ledger of the database ``connection`` leads to.

    Raises psycopg.Error, and SetupError where the ledger is not what it must be: then nothing is believed.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection

    def open(self, direction: str, elsewhere: Callable[[Ledger], None]) -> Opened:
        """What a runner finds, who has the lock and goes in ``direction``.

        Tables are made where they are missing, and what says it is running is marked as interrupted: its
        runner is gone. ``elsewhere`` is asked, where nothing is applied, what else is there, and may raise.
        """
        with ours(self.connection):
            versions, here = present(self.connection)
            known = self._known(versions, here)
            if not known.applied:
                elsewhere(self)
            if not versions:
                self.connection.execute(_VERSIONS)
            if not here:
                create(self.connection, "ledger")
            row = self.connection.execute(_UNFINISHED).fetchone() if here else None
            if row is None or not row[0]:
                return Opened(known)
            buried = self._bury()
            return Opened(known, buried, self._attempts(_OPEN + _HALF, "down" if direction == "up" else "up"))

    def elsewhere(self) -> dict[str, set[str]]:
        """Versions in tables ``schema_migrations`` of other schemas than public, by schema.

        dbmate makes one there when the URL it is given has another search path. One whose version has a type
        of somebody's own is not dbmate's, and its cast would run as whoever looks.
        """
        found = {}
        with ours(self.connection):
            for (schema,) in self.connection.execute(_ELSEWHERE).fetchall():
                table = SQL("SELECT version::pg_catalog.text FROM {}").format(
                    Identifier(schema, "schema_migrations")
                )
                found[str(schema)] = {str(row[0]) for row in self.connection.execute(table)}
        return found

    def known(self) -> KnownLedger:
        """What is applied. Raises SetupError: dbmate's table is gone, and ours says that something is."""
        with ours(self.connection):
            return self._known(*present(self.connection))

    def _known(self, versions: bool, here: bool) -> KnownLedger:
        """`known`, where there are dbmate's table (``versions``) and ours (``here``), or not."""
        if not versions:
            recorded = self.connection.execute(_RECORDED).fetchall() if here else []
            if recorded:
                raise gone(len(recorded))
            return KnownLedger()
        if not here:
            rows = self.connection.execute("SELECT version FROM public.schema_migrations ORDER BY version")
            if rows.description and rows.description[0].type_code in _NUMBERS:
                raise SetupError(
                    "refused: public.schema_migrations is not dbmate's: its version is a number,"
                    " as golang-migrate has it",
                    next_step="keep that tool for this database; pgrehearse db lint judges its files",
                )
            return KnownLedger({version: Applied(version) for (version,) in rows})
        found = self.connection.execute(_KNOWN).fetchall()
        return KnownLedger(
            {version: Applied(version, sha256, at) for version, sha256, at, there in found if there},
            frozenset(version for version, _, _, there in found if not there),
        )

    def attempts(self) -> list[AttemptRow]:
        """Every attempt with its statements, oldest first."""
        return self._read("")

    def recent(self, most: int) -> list[Summary]:
        """The last attempts that sent something, newest first."""
        with ours(self.connection):
            if not present(self.connection)[1]:
                return []
            cursor = self.connection.cursor(row_factory=class_row(Summary))
            return cursor.execute(queries.text("recent_attempts"), {"most": most}).fetchall()

    def unfinished(self, migration: Migration, direction: str) -> list[AttemptRow]:
        """Attempts since the migration was last done in either direction that were not finished."""
        return self._read(_OPEN + " AND a.version = %s", direction, migration.version)

    def _read(self, which: str, *values: str) -> list[AttemptRow]:
        with ours(self.connection):
            return self._attempts(which, *values) if present(self.connection)[1] else []

    def _attempts(self, which: str, *values: str) -> list[AttemptRow]:
        query = f"{_ATTEMPTS}{which} ORDER BY a.id".encode()
        rows = self.connection.cursor(row_factory=dict_row).execute(query, values).fetchall()
        found = []
        for row in rows:
            costs = tuple(Cost(**{**one, "rewritten": tuple(one["rewritten"])}) for one in row["statements"])
            found.append(AttemptRow(**{**row, "statements": costs}))
        return found

    def _bury(self) -> list[str]:
        rows = self.connection.execute(
            "UPDATE pgrehearse.attempt SET outcome = 'interrupted', finished = clock_timestamp()"
            " WHERE outcome = 'running' RETURNING version || '_' || name"
        ).fetchall()
        return [row[0] for row in rows]

    def adopt(self, migrations: Sequence[Migration]) -> None:
        """Take the hash of ``migrations`` that another tool applied, so that a later edit is noticed."""
        if not migrations:
            return
        with ours(self.connection):
            for migration in migrations:
                self._write(
                    "INSERT INTO pgrehearse.attempt (version, name, direction, sha256, outcome)"
                    " VALUES (%s, %s, 'up', %s, 'adopted')",
                    [migration.version, migration.name, migration.sha256],
                )

    def begin(self, migration: Migration, direction: str) -> int:
        """A new attempt, by its id."""
        with ours(self.connection):
            row = self.connection.execute(
                "INSERT INTO pgrehearse.attempt (version, name, direction, sha256)"
                " VALUES (%s, %s, %s, %s) RETURNING id",
                [migration.version, migration.name, direction, migration.sha256],
            ).fetchone()
        assert row is not None
        return int(row[0])

    def note(self, attempt: int, *costs: Cost) -> None:
        """Write statements of ``attempt``, or write them again. What is done stays done."""
        with ours(self.connection):
            present(self.connection)
            untouched(self.connection)
            self._note(attempt, costs)

    def end(
        self, attempt: int, migration: Migration, direction: str, recorded: RecordedStatements
    ) -> frozenset[str]:
        """The attempt is done, at the costs of ``recorded``: the version is applied, or no longer.

        Returns what is `KnownLedger.withdrawn` then.
        """
        with ours(self.connection):
            present(self.connection)
            untouched(self.connection)
            self._record(attempt, recorded)
            self._write(
                "UPDATE pgrehearse.attempt SET outcome = 'done', finished = clock_timestamp()"
                " WHERE id = %s AND outcome = 'running'",
                [attempt],
            )
            self._write(
                "INSERT INTO public.schema_migrations (version) VALUES (%s)"
                if direction == "up"
                else "DELETE FROM public.schema_migrations WHERE version = %s",
                [migration.version],
            )
            return self._known(True, True).withdrawn

    def fail(self, attempt: int, outcome: str, error: str, recorded: RecordedStatements) -> None:
        """The attempt failed or was interrupted; it stays recorded. One that is done stays done."""
        with ours(self.connection):
            # No standby is waited for: without this record the attempt would count as interrupted as well.
            self.connection.execute("SET LOCAL synchronous_commit = local")
            changed = self.connection.execute(
                "UPDATE pgrehearse.attempt SET outcome = %s, finished = clock_timestamp(), error = %s"
                " WHERE id = %s AND outcome = 'running'",
                [outcome, error, attempt],
            )
            if changed.rowcount:
                self._record(attempt, recorded)

    def is_done(self, attempt: int, number: int | None = None) -> bool:
        """Whether ``attempt``, or its statement ``number``, is recorded as done."""
        with ours(self.connection):
            row = self.connection.execute(
                "SELECT EXISTS (SELECT FROM pgrehearse.attempt WHERE id = %s AND outcome = 'done')"
                if number is None
                else "SELECT EXISTS (SELECT FROM pgrehearse.statement"
                " WHERE attempt = %s AND outcome = 'done' AND number = %s)",
                [attempt] if number is None else [attempt, number],
            ).fetchone()
        return row is not None and bool(row[0])

    def is_running(self, attempt: int) -> bool:
        """Whether ``attempt`` has no end yet; another runner would have marked it as interrupted."""
        with ours(self.connection):
            query = "SELECT outcome = 'running' FROM pgrehearse.attempt WHERE id = %s"
            row = self.connection.execute(query, [attempt]).fetchone()
        return row is not None and bool(row[0])

    def _record(self, attempt: int, recorded: RecordedStatements) -> None:
        if recorded.lines is not None:
            with self.connection.cursor().copy(_COPY) as copy:
                for text in recorded.lines(attempt):
                    copy.write(text)
        self._note(attempt, recorded.costs)

    def _note(self, attempt: int, costs: Sequence[Cost]) -> None:
        for cost in costs:
            *values, rewritten, tries = astuple(cost)
            self.connection.execute(_NOTE, [attempt, *values, list(rewritten), tries])

    def _write(self, query: LiteralString, values: Sequence[object]) -> None:
        """Change one row. Raises SetupError when that is not what happened."""
        changed = self.connection.execute(query, values).rowcount
        if changed != 1:
            raise SetupError(
                f"refused: the ledger was changed meanwhile: {changed} rows took what one had to",
                next_step="compare public.schema_migrations and pgrehearse.attempt with a backup",
            )
