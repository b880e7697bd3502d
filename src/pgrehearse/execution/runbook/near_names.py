"""A hint where a parameter names nothing: what is there in another case or schema."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from string import ascii_lowercase, ascii_uppercase
from typing import Any

import psycopg

from pgrehearse import queries
from pgrehearse.connections import connect
from pgrehearse.execution.results import CellResult
from pgrehearse.text.answers import stopped
from pgrehearse.text.variables import quote_json

__all__ = ["names_nothing", "near_names"]

_PART = r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)'
#: What may be a name as SQL writes it, with its schema or without.
_NAME = re.compile(rf"(?:(?P<schema>{_PART})\.)?(?P<name>{_PART})")
#: What PostgreSQL makes lower where a name has no quotes.
_FOLDED = str.maketrans(ascii_uppercase, ascii_lowercase)
#: Bytes of a name in PostgreSQL; what is longer is no name.
_LONGEST = 63
#: SQLSTATEs of a table, a column, a schema or an object that is not there.
_NO_NAME = ("42P01", "42703", "3F000", "42704")
#: Of a longer list nobody knows which is meant.
_MOST = 3


def names_nothing(result: CellResult) -> bool:
    """Whether ``result`` may come of a name that is not there as it was given."""
    return bool(stopped(result.output)) or (
        result.failure is not None and result.failure.sqlstate in _NO_NAME
    )


def near_names(conninfo: str, values: Mapping[str, str], used: Container[str]) -> list[str]:
    """What the database has under names like ``values``, a line for each.

    ``used``: parameters of the step that was refused; the others only say in which table and type to look.
    Where it cannot be asked, there is no hint: what is told is the refusal.
    """
    given = [
        {"place": place, "used": parameter in used, **name}
        for place, (parameter, value) in enumerate(values.items())
        for name in _names(parameter, value)
    ]
    if not given:
        return []
    query = queries.text("run_names", given=quote_json(given))
    try:
        with connect(conninfo, autocommit=True, options="-c statement_timeout=10000") as connection:
            rows = connection.execute(query).fetchall()
    except psycopg.Error:
        return []
    first: dict[
        tuple[str, str], str
    ] = {}  # of two parameters that may mean it, the one that is asked for first
    for name, value, kind, there in rows:
        first.setdefault((kind, there), f"{name}={value}: there is the {kind} {there}")
    return list(first.values())[:_MOST]


def _names(parameter: str, value: str) -> Iterator[dict[str, Any]]:
    """``value``, or each of the names in it, as SQL reads it and as one that stands for itself."""
    parts = [part.strip() for part in value.split(",")]
    for text in filter(None, dict.fromkeys((*parts, value))):
        found = _NAME.fullmatch(text)
        schema, name = map(_read, found.group("schema", "name")) if found else (None, None)
        bare = _unquoted(found["name"]) if found else text
        if len(bare.encode()) <= _LONGEST:
            cases = sorted({f(one) for one in (bare, text) for f in (str, str.lower, str.upper, str.title)})
            yield {"parameter": parameter, "value": text, "schema": schema, "name": name, "variants": cases}


def _read(part: str | None) -> str | None:
    """A part of a name as SQL reads it."""
    return part and (_unquoted(part) if part.startswith('"') else part.translate(_FOLDED))


def _unquoted(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part
