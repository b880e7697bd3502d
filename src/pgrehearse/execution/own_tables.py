"""The tables that pgrehearse keeps in a database: where they live, and whether they are what they must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from pgrehearse import queries
from pgrehearse.text.variables import quote_literal

__all__ = ["SCHEMA", "OwnTable", "Wanted", "create", "look"]

SCHEMA = "pgrehearse"


@dataclass(frozen=True)
class Wanted:
    """A table as it must be: it has ``columns``, and ``key`` is unique."""

    schema: str
    name: str
    columns: Sequence[str]
    key: Sequence[str]


@dataclass(frozen=True)
class OwnTable:
    """A table as it is.

    Attributes:
        there: whether it exists; if it does not, the rest says nothing.
        problems: in words, what could drop, hide, change or lose what is written.
        writable: whether this role may read and write it.
    """

    schema: str
    name: str
    there: bool
    problems: tuple[str, ...]
    writable: bool
    owner: str


def look(connection: psycopg.Connection[Any], wanted: Sequence[Wanted]) -> list[OwnTable]:
    """The tables ``wanted``, in that order. Asks for nothing that needs a right."""
    rows = ", ".join(
        f"({quote_literal(one.schema)}, {quote_literal(one.name)}, {_array(one.columns)},"
        f" {_array(sorted(one.key))})"
        for one in wanted
    )
    found = {
        (schema, name): OwnTable(schema, name, there, tuple(problems), bool(writable), str(owner))
        for schema, name, there, problems, writable, owner in connection.execute(
            queries.text("own_tables", tables=rows)
        )
    }
    return [found[one.schema, one.name] for one in wanted]


def create(connection: psycopg.Connection[Any], query: str) -> None:
    """Make the schema where there is none, then the tables of ``query``."""
    connection.execute(queries.text("own_schema"))
    connection.execute(queries.text(query))


def _array(names: Sequence[str]) -> str:
    return f"ARRAY[{', '.join(map(quote_literal, names))}]"
