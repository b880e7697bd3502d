"""The database that is checked: what its ledger says, and what a scratch server needs to know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.sql import SQL, Literal

from pgrehearse.connections import connect
from pgrehearse.errors import SetupError, first_line
from pgrehearse.execution.exclusion import RUNNER
from pgrehearse.migration.drift.lent import ScratchRunner
from pgrehearse.migration.runner.ledger import Ledger
from pgrehearse.migration.runner.ledger_rows import Applied
from pgrehearse.schema.dump import OPTIONS, dump
from pgrehearse.schema.dump_text import split
from pgrehearse.schema.items import items
from pgrehearse.schema.roles import names, relevant, roles

__all__ = ["Live", "declaration", "look"]

_BUSY = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_locks
    WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND granted
    AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
"""
_FACTS = """
SELECT b.rolname, coalesce(r.rolname, b.rolname), pg_catalog.pg_get_userbyid(d.datdba), d.datname,
       pg_catalog.concat_ws(' ', CASE WHEN r.rolsuper THEN 'SUPERUSER' END,
                 CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
                 CASE WHEN r.rolcreatedb THEN 'CREATEDB' END),
       pg_catalog.pg_encoding_to_char(d.encoding), d.datlocprovider, d.datcollate, d.datctype,
       pg_catalog.to_jsonb(d) ->> CASE WHEN pg_catalog.current_setting('server_version_num')::int < 170000
                            THEN 'daticulocale' ELSE 'datlocale' END
  FROM pg_catalog.pg_database AS d JOIN pg_catalog.pg_roles AS b ON b.oid = 10
  LEFT JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass('public.schema_migrations')
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = c.relowner
 WHERE d.datname = pg_catalog.current_database()
"""


@dataclass(frozen=True)
class Live:
    """``applied`` is None where no ledger is; ``roles``: that somebody made on its server."""

    runner: ScratchRunner
    applied: Mapping[str, Applied] | None
    busy: bool
    roles: frozenset[str]


def look(conninfo: str) -> Live:
    """Look at a database without writing. Raises SetupError."""
    try:
        with connect(conninfo, options=OPTIONS, autocommit=True) as connection:
            row = connection.execute(_FACTS.encode()).fetchone()
            ledger = connection.execute(
                "SELECT pg_catalog.to_regclass('public.schema_migrations')"
            ).fetchone()
            busy = connection.execute(_BUSY, RUNNER).fetchone()
            applied = Ledger(connection).known().applied if ledger and ledger[0] else None
            assert row is not None and busy is not None
            return Live(_runner(connection, row), applied, bool(busy[0]), frozenset(names(connection)))
    except psycopg.Error as error:
        reason = first_line(error)
        raise SetupError(
            f"the ledger cannot be read: {reason}",
            next_step="GRANT pg_read_all_data TO the role that checks, or check the DSN",
        ) from None


def _runner(connection: psycopg.Connection[Any], row: tuple[Any, ...]) -> ScratchRunner:
    superuser, role, owner, database, attributes, encoding, provider, collate, ctype, locale = row
    words = SQL("ENCODING {} LC_COLLATE {} LC_CTYPE {}").format(
        Literal(encoding), Literal(collate), Literal(ctype)
    )
    if provider == "i":
        words += SQL(" LOCALE_PROVIDER icu ICU_LOCALE {}").format(Literal(locale))
    elif provider == "b":
        words += SQL(" LOCALE_PROVIDER builtin BUILTIN_LOCALE {}").format(Literal(locale))
    return ScratchRunner(superuser, role, attributes, owner, database, words.as_string(connection))


def declaration(conninfo: str) -> str:
    """The roles and settings of a live database as statements: what migrations take for granted.

    Raises SetupError.
    """
    with connect(conninfo, options=OPTIONS, autocommit=True) as connection:
        found = roles(connection, relevant(connection))
    defined = items(split(dump(conninfo, create=True, ledger=False).text))
    database = [item for item in defined if _cluster(item.object, item.subject)]
    lines = [item.sql for item in found if item.subject == "exists"]
    lines += [item.sql for item in found if item.subject != "exists"]
    lines += [item.sql for item in database]
    head = (
        "-- Roles and settings that the migrations take for granted; pgrehearse db check compares them.\n"
        "-- Written by pgrehearse db check --write-roles; read by psql. No password is in it.\n\n"
    )
    return head + "".join(f"{line};\n" for line in lines)


def _cluster(object_: str, subject: str) -> bool:
    return object_ == "database" or (object_.startswith("role ") and subject.endswith(" here"))
