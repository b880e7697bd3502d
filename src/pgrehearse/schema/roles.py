"""What a cluster says about the roles of a database: attributes, memberships, settings.

Migrations seldom make roles. So a role counts as plain until something says otherwise: its existence and its
LOGIN are compared only where the definition makes the role, its powers always.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import psycopg

from pgrehearse import queries
from pgrehearse.schema.items import Item

__all__ = ["names", "relevant", "roles"]

_MADE = "SELECT rolname FROM pg_catalog.pg_roles WHERE oid >= 16384"


def roles(
    connection: psycopg.Connection[Any], named: Collection[str] = (), ignored: Collection[str] = ()
) -> list[Item]:
    """Items about the roles that matter to this database.

    Args:
        named: roles that the definition makes; whether they exist and may log in is compared too.
        ignored: roles that are left out, such as the one a scratch server is administered with.

    Raises psycopg.Error.
    """
    values = {"named": list(named), "ignored": list(ignored)}
    values["oids"] = [row[0] for row in connection.execute(queries.text("relevant_roles"), values)]
    found = (
        connection.execute(queries.text(f"role_{what}"), values) for what in ("attributes", "memberships")
    )
    return sorted({Item(*row) for rows in found for row in rows})


def relevant(connection: psycopg.Connection[Any]) -> list[str]:
    """The roles that matter to this database, by name."""
    values: dict[str, list[str]] = {"named": [], "ignored": []}
    return sorted(str(row[1]) for row in connection.execute(queries.text("relevant_roles"), values))


def names(connection: psycopg.Connection[Any]) -> set[str]:
    """Every role that somebody made in this cluster."""
    return {
        str(row[0])
        for row in connection.execute("SELECT rolname FROM pg_catalog.pg_roles WHERE oid >= 16384")
    }
