"""A hint where a parameter names nothing: what is there in another case or schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

import psycopg

from pgrehearse import queries
from pgrehearse.connections import connect
from pgrehearse.text.variables import quote_literal

__all__ = ["near_names"]

_PART = r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)'
#: What may be the name of a relation or a column.
_NAME = re.compile(rf"{_PART}(?:\.{_PART}){{0,2}}")
#: Of a longer list nobody knows which is meant.
_MOST = 3


def near_names(conninfo: str, values: Mapping[str, str]) -> str:
    """What the database has under names like ``values``, in one line; empty for nothing.

    Where it cannot be asked, there is no hint: what is told is the refusal.
    """
    given = [{"parameter": name, "value": value} for name, value in _names(values)]
    if not given:
        return ""
    query = queries.text("run_names", given=quote_literal(json.dumps(given)))
    try:
        with connect(conninfo, autocommit=True, options="-c statement_timeout=10000") as connection:
            rows = connection.execute(query).fetchall()
    except psycopg.Error:
        return ""
    return "; ".join(
        f"{name}={value}: there is the {kind} {there}" for name, value, kind, there in rows[:_MOST]
    )


def _names(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        for part in value.split(","):
            if _NAME.fullmatch(part.strip()):
                yield name, part.strip()
