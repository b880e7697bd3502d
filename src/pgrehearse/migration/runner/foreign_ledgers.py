"""Whether another tool says in the database that it migrates it: what that one applied is not read here.

Where this ledger was never kept, "nothing is applied" would be said of what nobody looked at, and a file that
the other tool applied would do its work twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from typing import Any, NamedTuple

import psycopg
from psycopg.sql import SQL, Identifier

from pgrehearse import queries
from pgrehearse.errors import SetupError
from pgrehearse.text.migration_files import Migration

__all__ = ["ForeignLedger", "look", "refuse"]

#: Table -> tool, and the column that says which migration a row is.
_TABLES = {
    "flyway_schema_history": ("Flyway", "version"),
    "goose_db_version": ("goose", "version_id"),
    "databasechangelog": ("Liquibase", "id"),
    "alembic_version": ("Alembic", "version_num"),
    "django_migrations": ("Django", "name"),
    "_prisma_migrations": ("Prisma", "migration_name"),
    "__drizzle_migrations": ("Drizzle", "created_at"),
    "gorp_migrations": ("sql-migrate", "id"),
    "_sqlx_migrations": ("sqlx", "version"),
    "__diesel_schema_migrations": ("diesel", "version"),
    "atlas_schema_revisions": ("Atlas", "version"),
    "pgmigrations": ("node-pg-migrate", "name"),
    "knex_migrations": ("Knex", "name"),
    "SequelizeMeta": ("Sequelize", "name"),
    "__EFMigrationsHistory": ("Entity Framework", "MigrationId"),
}
#: A type of somebody's own has a cast of his, which would run as whoever looks.
_QUESTION = f"""
SELECT n.nspname::pg_catalog.text, c.relname::pg_catalog.text, w.tool, w.version,
       pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
  FROM ROWS FROM (pg_catalog.unnest(%s::pg_catalog.text[]), pg_catalog.unnest(%s::pg_catalog.text[]),
                  pg_catalog.unnest(%s::pg_catalog.text[])) AS w (name, tool, version)
  JOIN pg_catalog.pg_class AS c ON c.relname OPERATOR(pg_catalog.=) w.name::pg_catalog.name
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.atttypid < 16384
       AND a.attname OPERATOR(pg_catalog.=) w.version::pg_catalog.name
 WHERE c.relkind IN ('r', 'p') AND {queries.APPLICATION_SCHEMA}
 ORDER BY 1, 2
"""
#: A version of one number; 1.1 is none.
_NUMBER = re.compile(r"[Vv]?0*(\d+)(?!\.?\d)")
_MOST = 100_000


class ForeignLedger(NamedTuple):
    """The table ``name`` of ``tool``; the versions its rows tell, or None: this role may not read them."""

    name: str
    tool: str
    versions: Set[str] | None


def look(connection: psycopg.Connection[Any]) -> list[ForeignLedger]:
    """Those that have a row or cannot be read, in the surroundings that `own_session.ours` makes."""
    names = [*_TABLES]
    tools, columns = zip(*_TABLES.values(), strict=True)
    found = []
    for schema, name, tool, column, readable in connection.execute(
        _QUESTION, [names, [*tools], [*columns]]
    ).fetchall():
        versions = None
        if readable:
            rows = connection.execute(
                SQL("SELECT {}::pg_catalog.text FROM {} LIMIT {}").format(
                    Identifier(column), Identifier(schema, name), _MOST
                )
            )
            versions = {number[1] for (text,) in rows if (number := _NUMBER.match(text or ""))}
            if not rows.rowcount:
                continue
        found.append(ForeignLedger(f"{schema}.{name}", tool, versions))
    return found


def refuse(found: Sequence[ForeignLedger], migrations: Sequence[Migration], *, kept: bool) -> None:
    """Raise SetupError: another tool applied some of ``migrations``, or this ledger was never ``kept``."""
    files = {number[1] for one in migrations if (number := _NUMBER.match(one.version))}
    for one in found:
        same = len(files & one.versions) if one.versions is not None else 0
        if same:
            what = f"{one.name} says that {one.tool} applied {same} of these migrations"
        elif not kept:
            what = f"{one.name} says that {one.tool} migrates this database; what it applied is not known"
        else:
            continue
        raise SetupError(
            f"refused: {what}",
            next_step="keep that tool for this database, pgrehearse db lint judges its files; or say in"
            " public.schema_migrations (version varchar(128) PRIMARY KEY) what of these files is applied",
        )
