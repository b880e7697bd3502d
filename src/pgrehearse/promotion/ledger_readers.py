"""Who takes part in promotions may read the ledger: what is pending is the first thing they ask.

The tables belong to whoever migrates, so that role says it: `promote apply` after its work, and `promote
install` where whoever installs may.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from pgrehearse.execution.own_tables import SCHEMA

__all__ = ["admit"]

#: The tables that one of them may not read. What an older file installed has not all of them.
_TABLES = """
SELECT n.nspname, c.relname, pg_catalog.pg_has_role(c.relowner, 'USAGE')
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND (n.nspname = %s OR (n.nspname = 'public' AND c.relname = 'schema_migrations'))
   AND NOT (SELECT pg_catalog.bool_and(pg_catalog.has_schema_privilege(role, n.oid, 'USAGE')
                                       AND pg_catalog.has_table_privilege(role, c.oid, 'SELECT'))
              FROM pg_catalog.unnest(%s::pg_catalog.text[]) AS readers (reader),
                   LATERAL (SELECT pg_catalog.to_regrole(reader)::pg_catalog.oid AS role) AS found
             WHERE role IS NOT NULL)
"""
_THERE = (
    "SELECT rolname::pg_catalog.text FROM pg_catalog.pg_roles WHERE rolname = ANY (%s::name[]) ORDER BY 1"
)
_READERS = ("requester", "approver", "viewer", "dashboard")


def admit(connection: psycopg.Connection[Any], prefix: str) -> list[str]:
    """Grant what is missing; the tables that belong to others, so that it could not."""
    wanted = [f"{prefix}_{word}" for word in _READERS]
    quoted = [Identifier(name).as_string() for name in wanted]
    lacking = connection.execute(_TABLES, [SCHEMA, quoted]).fetchall()
    if not lacking:  # as for every database after its first
        return []
    names = [name for (name,) in connection.execute(_THERE, [wanted]).fetchall()]
    readers = SQL(", ").join(map(Identifier, names))
    others = []
    for schema, table, ours in lacking:
        if not ours:
            others.append(f"{schema}.{table}")
            continue
        if schema != "public":
            connection.execute(SQL("GRANT USAGE ON SCHEMA {} TO {}").format(Identifier(schema), readers))
        connection.execute(SQL("GRANT SELECT ON {} TO {}").format(Identifier(schema, table), readers))
    return others
