"""The files of the database's tables, and which of them a migration has rewritten."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg

__all__ = ["RELATIONS", "File", "Files"]

#: Every table and materialized view of the application: oid, schema, schema and name as they are written,
#: file. Read amid a migration, so it holds no operator that a search path could replace.
RELATIONS = """
SELECT c.oid::pg_catalog.int8, n.nspname, pg_catalog.quote_ident(n.nspname),
       pg_catalog.quote_ident(c.relname), pg_catalog.pg_relation_filenode(c.oid)::pg_catalog.int8
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n
       ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'm']::pg_catalog."char"[])
   AND c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"
   AND NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_')
   AND n.nspname OPERATOR(pg_catalog.<>) ALL (
       ARRAY['information_schema', 'pgrehearse', 'pgrehearse_promotion']::pg_catalog.name[])
"""

#: A row of `RELATIONS`.
File = tuple[int, str, str, str, int]


class Files:
    """Tables and materialized views by oid, as they are known on ``connection``."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._known: dict[int, int] = {}
        self.read()

    def read(self) -> tuple[str, ...]:
        """Look at all of them. Returns those with another file; see `learn`."""
        return self.learn(self._connection.execute(RELATIONS))

    def learn(self, rows: Iterable[File]) -> tuple[str, ...]:
        """What ``rows`` say counts from now on. Returns the tables that were known and have another file.

        They are in order of their names, without the schema in public, whatever the search path is.
        """
        rewritten = []
        for oid, schema, quoted, name, file in rows:
            if self._known.get(oid, file) != file:
                rewritten.append(name if schema == "public" else f"{quoted}.{name}")
            self._known[oid] = file
        return tuple(sorted(rewritten))
