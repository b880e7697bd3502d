"""What pg_dump leaves out of a database, by queries that give the same form."""

from __future__ import annotations

from typing import Any

import psycopg

from pgrehearse import queries
from pgrehearse.schema.items import Item

__all__ = ["extras", "unseen", "versions"]

_VERSIONS = """
SELECT pg_catalog.format('extension %s', pg_catalog.quote_ident(extname)), extversion
  FROM pg_catalog.pg_extension
"""
_HIDDEN = """
SELECT pg_catalog.format('options of the user mapping for %s on server %s', usename, srvname)
  FROM pg_catalog.pg_user_mappings
 WHERE umoptions IS NULL AND NOT pg_catalog.pg_has_role(umuser, 'USAGE')
   AND NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
"""
#: What somebody made among our own tables: no dump that is compared holds it. Our tables themselves are
#: looked at before their rows are believed.
_ADDED = """
SELECT pg_catalog.format('%I.%I, which pgrehearse has not made', n.nspname, c.relname)
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname = 'pgrehearse' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname <> ALL
       ('{attempt, canary, ddl, receipt, run, statement, step}')
UNION ALL
SELECT pg_catalog.format('function %I.%I, which pgrehearse has not made', n.nspname, f.proname)
  FROM pg_catalog.pg_proc AS f JOIN pg_catalog.pg_namespace AS n ON n.oid = f.pronamespace
 WHERE n.nspname = 'pgrehearse' AND f.proname <> 'log_ddl'
"""


def extras(connection: psycopg.Connection[Any]) -> list[Item]:
    """Items that pg_dump does not write. Raises psycopg.Error."""
    found = (connection.execute(queries.text(name)) for name in ("undumped", "extension_members"))
    return [Item(*row) for rows in found for row in rows]


def versions(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """The version of each extension, by the object's name. Raises psycopg.Error."""
    return dict(connection.execute(_VERSIONS.encode()).fetchall())


def unseen(connection: psycopg.Connection[Any]) -> list[str]:
    """What this role may not read, in words."""
    return [str(row[0]) for query in (_HIDDEN, _ADDED) for row in connection.execute(query.encode())]
