"""Measures migrations on as many rows as production has, in a disposable database.

A migration on an empty table says nothing of its cost. So everything is applied, the seed fills the tables,
the newest migrations are undone as far as that loses no seeded row, and applied again: measured this time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from psycopg.sql import SQL, Identifier

from pgrehearse import queries
from pgrehearse.connections import connect
from pgrehearse.errors import PgRehearseError, SetupError
from pgrehearse.execution import seeds
from pgrehearse.execution.backoff import Backoff
from pgrehearse.execution.databases import Databases
from pgrehearse.migration.runner.runner import RunnerOptions, down, up
from pgrehearse.migration.timing import costs
from pgrehearse.migration.timing.costs import Timing
from pgrehearse.servers.base import Server
from pgrehearse.text.front_matter import Database
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.project import Project

__all__ = ["Volume", "rehearse"]

#: Rows of the trial that finds out what can be undone.
_FEW = 1000
_TABLES = f"""
SELECT n.nspname, c.relname, c.oid::bigint
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND {queries.APPLICATION_TABLE}
"""


@dataclass(frozen=True)
class Volume:
    """What was measured: ``timings`` of all migrations, ``versions`` of those that ran on seeded tables."""

    timings: tuple[Timing, ...]
    versions: frozenset[str]
    rows: int
    stopped: str


def rehearse(
    server: Server,
    project: Project,
    migrations: list[Migration],
    rows: int,
    tell: Callable[[str], None],
) -> Volume:
    """Measure ``migrations`` on ``rows`` rows of the project's seed. ``tell`` takes lines about what is done.

    Raises:
        SetupError: the project has no seed.
        DocumentError, ExpectationError: a migration or the seed cannot be run.
    """
    if not project.seed.is_file():
        raise SetupError(
            "there is no seed to fill the tables",
            path=project.relative(project.seed),
            next_step="write one with :'rows' as its number of rows; [tool.pgrehearse] seed says where",
        )
    databases = Databases(server, project)
    try:
        few = _filled(databases, project, migrations, min(rows, _FEW))
        again, stopped = _undoable(few, migrations)
        databases.drop(str(psycopg.conninfo.conninfo_to_dict(few)["dbname"]))
        tell(f"{len(again)} of {len(migrations)} migrations can be undone without losing seeded rows")
        tell(f"seeding {rows:,} rows")
        dsn = _filled(databases, project, migrations, rows)
        for _ in down(dsn, migrations, steps=len(again), options=_patient()):
            pass
        tell(f"applying {len(again)} migrations to {rows:,} rows")
        for done in up(dsn, migrations, tell=tell):
            tell(f"{done.migration.path.stem}: {done.outcome.seconds * 1000:,.0f} ms")
        return Volume(tuple(costs.read(dsn)), frozenset(again), rows, stopped)
    finally:
        databases.close()


def _patient() -> RunnerOptions:
    return RunnerOptions(backoff=Backoff(1))


def _filled(databases: Databases, project: Project, migrations: list[Migration], rows: int) -> str:
    dsn = databases.server.dsn(databases.fresh(Database(empty=True), "timing"))
    for _ in up(dsn, migrations, options=_patient()):
        pass
    with connect(dsn, autocommit=True) as connection:
        seeds.load(connection, project.seed, rows, shown=project.relative(project.seed))
    return dsn


def _undoable(dsn: str, migrations: list[Migration]) -> tuple[list[str], str]:
    """Versions, newest first, whose down part keeps every seeded row; and why the next does not."""
    with connect(dsn, autocommit=True) as connection:
        before = _counts(connection)
        found: list[str] = []
        for migration in reversed(migrations):
            try:
                for _ in down(dsn, migrations, options=_patient()):
                    pass
            except PgRehearseError as error:
                return found, f"{migration.path.stem} cannot be undone: {error.message}"
            after = _counts(connection)
            lost = [name for name, count in before.items() if after.get(name, -1) < count]
            if lost:
                return found, f"undoing {migration.path.stem} would lose rows of {lost[0][0]}"
            found.append(migration.version)
    return found, ""


def _counts(connection: psycopg.Connection[tuple[object, ...]]) -> dict[tuple[str, int], int]:
    """Rows of each table that has some; a table made again is another one."""
    found = {}
    for schema, name, oid in connection.execute(_TABLES).fetchall():
        query = SQL("SELECT pg_catalog.count(*) FROM {}").format(Identifier(str(schema), str(name)))
        row = connection.execute(query).fetchone()
        if row is not None and row[0]:
            found[str(name), int(str(oid))] = int(str(row[0]))
    return found
