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
#: What stands in the place of a table, by its relkind.
_KINDS = {"v": "is a view", "p": "is partitioned", "f": "is a foreign table", "m": "is a materialized view"}


@dataclass(frozen=True)
class Wanted:
    """A table as it must be: it has ``columns``, and ``key`` is unique; of an empty one nothing is asked."""

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
    query = queries.text(
        "own_tables",
        schemas=_array(sorted({one.schema for one in wanted})),
        tables=_array(sorted({one.name for one in wanted})),
    )
    found = {(row[0], row[1]): row[2:] for row in connection.execute(query)}
    return [_table(one, found.get((one.schema, one.name))) for one in wanted]


def _table(wanted: Wanted, found: Sequence[Any] | None) -> OwnTable:
    """``found``: the rest of its row of own_tables.sql; None: there is none."""
    if found is None:
        return OwnTable(wanted.schema, wanted.name, False, (), False, "")
    kind, persistence, secured, triggers, rules, inherits, columns, keys, writable, owner, typed = found
    lacks = [name for name in wanted.columns if name not in columns]
    strange = [name for name in wanted.columns if name in typed]
    unique = [sorted(columns[int(number) - 1] for number in key.split()) for key in keys]
    said = {
        _KINDS.get(kind, "is no table"): kind != "r",
        "is UNLOGGED, and empty after a crash": persistence == "u",
        "has row security, which hides rows": secured,
        f"has the trigger {', '.join(triggers or ())}": triggers,
        f"has the rule {', '.join(rules or ())}": rules and kind == "r",
        "inherits, or is inherited from": inherits,
        f"lacks the column {', '.join(lacks)}": lacks,
        f"has a type that is not PostgreSQL's own in the column {', '.join(strange)}": strange,
        "has lost its primary key": wanted.key and sorted(wanted.key) not in unique,
    }
    problems = tuple(problem for problem, there in said.items() if there)
    return OwnTable(wanted.schema, wanted.name, True, problems, bool(writable), str(owner))


def create(connection: psycopg.Connection[Any], query: str) -> None:
    """Make the schema where there is none, then the tables of ``query``."""
    connection.execute(queries.text("own_schema"))
    connection.execute(queries.text(query))


def _array(names: Sequence[str]) -> str:
    return f"ARRAY[{', '.join(map(quote_literal, names))}]"
