"""Extensions that a file asks for and only a superuser may make: made before anything else of the file.

The script of an extension runs as whoever makes it. In an empty database nothing of the file can meet it
there, such as a function of a name that the script calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from pgrehearse.schema.foreign_sql import RefusedStatement
from pgrehearse.schema.kinds import IDENTIFIER
from pgrehearse.text.split import Statement
from pgrehearse.text.statement import classify

__all__ = ["is_made", "make"]

_EXTENSION = re.compile(
    rf"CREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>{IDENTIFIER})"
    rf"(?:\s+WITH)?(?:\s+SCHEMA\s+(?P<schema>{IDENTIFIER}))?",
    re.I,
)
_NEEDS_SUPERUSER = """
SELECT pg_catalog.bool_and(superuser AND NOT trusted)
  FROM pg_catalog.pg_available_extension_versions WHERE name = %s
"""
#: What it made of its own: whoever looks at the database looks at these too. Nothing of the system's schemas,
#: whose tables hold the password hashes of the whole cluster.
_RELATIONS = """
SELECT n.nspname, c.relname
  FROM pg_catalog.pg_depend AS d
  JOIN pg_catalog.pg_class AS c ON c.oid = d.objid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'e' AND c.oid >= 16384
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""


def make(
    connection: psycopg.Connection[Any], role: str, todo: Iterable[Statement]
) -> Iterator[tuple[int, str]]:
    """Make the extensions of ``todo`` that need a superuser, and tell each: its line, and what was done.

    Args:
        connection: a superuser's, to the empty database, in autocommit mode.
        role: that the rest of ``todo`` will be carried out by; it may use what they hold.
    """
    made = False
    for one in todo:
        named = _EXTENSION.match(one.without_heading().sql)
        if named is None:
            continue
        name, schema = _plain(named["name"]), _plain(named["schema"] or "public")
        row = connection.execute(_NEEDS_SUPERUSER, [name]).fetchone()
        if row is None or not row[0]:
            continue
        try:
            for statement in (
                SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}").format(
                    Identifier(schema), Identifier(role)
                ),
                SQL("CREATE EXTENSION IF NOT EXISTS {} SCHEMA {} CASCADE").format(
                    Identifier(name), Identifier(schema)
                ),
            ):
                connection.execute(statement)
        except psycopg.Error:
            continue  # the statement itself will say so
        made = True
        yield one.line, f"the extension {name} needs a superuser, who made it before all else"
    if made:
        for relation in connection.execute(_RELATIONS).fetchall():
            grant = SQL("GRANT ALL ON {} TO {}").format(Identifier(*relation), Identifier(role))
            connection.execute(grant)


def is_made(refused: RefusedStatement) -> bool:
    """Whether a statement was refused because `make` did its work before."""
    kind = classify(refused.statement)
    return (
        (refused.sqlstate == "42P06" and kind.begins("create", "schema"))
        or (refused.sqlstate == "42710" and kind.begins("create", "extension"))
        or (refused.sqlstate == "42501" and kind.begins("comment", "on", "extension"))
    )


def _plain(name: str) -> str:
    """An identifier as the catalog has it."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
