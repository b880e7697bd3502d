"""psql variables in SQL: ``:'label'`` becomes a quoted literal, ``:"table"`` a quoted identifier.

Nothing is replaced inside quotes, comments and dollar quotes, as in psql. The unquoted form ``:name`` is
left alone: it would let a value change the statement.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pgrehearse.text.split import Token, tokens

__all__ = ["quote_identifier", "quote_json", "quote_literal", "substitute", "used"]

_QUOTED = re.compile(r""":(?P<quote>['"])(?P<name>\w+)(?P=quote)""")


def quote_literal(value: str) -> str:
    """``value`` as an SQL string literal, the way libpq's PQescapeLiteral writes it.

    Raises ValueError for a NUL character, which no PostgreSQL text can hold.
    """
    _refuse_nul(value)
    doubled = value.replace("'", "''")
    return " E'" + doubled.replace("\\", "\\\\") + "'" if "\\" in value else f"'{doubled}'"


def quote_json(value: Any) -> str:
    """``value`` as JSON in an SQL string literal. Raises ValueError for a NUL character.

    Letters stand as they are: a database in SQL_ASCII or LATIN1 knows no ``\\u00e4``.
    """
    return quote_literal(json.dumps(value, ensure_ascii=False))


def quote_identifier(value: str) -> str:
    """``value`` as a quoted identifier, always in double quotes as psql does."""
    _refuse_nul(value)
    if not value:
        raise ValueError("an identifier cannot be empty")
    return '"' + value.replace('"', '""') + '"'


def _refuse_nul(value: str) -> None:
    if "\0" in value:
        raise ValueError("a value cannot hold a NUL character")


def used(sql: str) -> dict[str, int]:
    """Names of the variables ``sql`` uses in a quoted form, with the 1-based line of first use."""
    found: dict[str, int] = {}
    for token in tokens(sql):
        if token.kind == "variable" and (match := _QUOTED.fullmatch(token.text)):
            found.setdefault(match["name"], sql.count("\n", 0, token.offset) + 1)
    return found


def raw(sql: str) -> dict[str, int]:
    """Names in the unquoted form ``:name``, which is never replaced, with the line of first use."""
    found: dict[str, int] = {}
    for token in tokens(sql):
        if token.kind == "variable" and not _QUOTED.fullmatch(token.text):
            found.setdefault(token.text[1:], sql.count("\n", 0, token.offset) + 1)
    return found


def substitute(sql: str, values: Mapping[str, str]) -> str:
    """``sql`` with its quoted variables replaced. Raises KeyError for a variable without a value."""
    return "".join(_replace(token, values) for token in tokens(sql))


def _replace(token: Token, values: Mapping[str, str]) -> str:
    match = _QUOTED.fullmatch(token.text) if token.kind == "variable" else None
    if match is None:
        return token.text
    quote = quote_literal if match["quote"] == "'" else quote_identifier
    return quote(values[match["name"]])
