"""Names that ``-v`` gives to an exported script, as `pgrehearse.text.written_names` reads them, in SQL.

Held to the same table of values by ``tests/db/text/test_psql_names.py``.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgrehearse.text.variables import quote_literal
from pgrehearse.text.written_names import LONGEST, OWN_TYPE, SUFFIX, NameKind

__all__ = ["NO_NAME", "as_meant"]

_BLANKS = r"E' \t\n'"
_B = r"[ \t\n]*"
_Q = '"(?:[^"]|"")*"'
_BARE_PATH = r'[^". \t\n][^.]*'
#: A name, or a schema and a name; in four groups, each of the two in quotes or bare.
_PATH = rf"^(?:{_B}({_Q}){_B}|({_B}{_BARE_PATH}))(?:\.{_B}(?:({_Q}){_B}|({_BARE_PATH})))?$"
_ONE = rf'(?:{_Q}|[^", \t\n][^,]*)'
_HIGH = r"[^\x01-\x7f]"
_WORD = rf"(?:{_Q}|(?:[A-Za-z_]|{_HIGH})(?:[A-Za-z0-9_$]|{_HIGH})*)"
#: What a value is not that means nothing.
NO_NAME = {
    NameKind.RELATION: 'no name with or without a schema; quotes stand around a whole part: app."Order"',
    NameKind.TYPE: 'no type; quotes stand around a whole name: app."Mood"[]',
    NameKind.NAME: "no name that stands alone, without a schema",
    NameKind.NAMES: "no list of names; none may hold a comma or end with a blank",
    NameKind.NAMES_OR_SQL: "no list of names",
}


def as_meant(name: str, kind: NameKind) -> Iterator[str]:
    """psql that sets the variable ``name`` to what its value means, or unsets it where that is no name."""
    value = "given.value"
    read = {
        NameKind.RELATION: _path(value),
        NameKind.TYPE: _type(value),
        NameKind.NAME: _alone(value),
        NameKind.NAMES: _names(value),
        NameKind.NAMES_OR_SQL: _names_or_sql(value),
    }[kind]
    yield f"SELECT CASE WHEN {value} = '' THEN '' ELSE {read} END AS \"{name}\""
    yield f"FROM (SELECT :'{name}'::text) AS given (value)"
    yield "\\gset"


def _bare(part: str) -> str:
    """``part`` without its quotes; NULL for what PostgreSQL cannot hold."""
    return (
        f"(SELECT CASE WHEN octet_length(one) BETWEEN 1 AND {LONGEST} THEN one END FROM (SELECT CASE"
        f" WHEN {part} LIKE '\"%' THEN replace(substr({part}, 2, length({part}) - 2), '\"\"', '\"')"
        f" ELSE {part} END) AS part (one))"
    )


def _path(value: str) -> str:
    first = (
        f"coalesce(m[1], CASE WHEN m[3] IS NULL AND m[4] IS NULL THEN m[2] ELSE rtrim(m[2], {_BLANKS}) END)"
    )
    return (
        f"(SELECT quote_ident({_bare(first)}) || CASE WHEN m[3] IS NULL AND m[4] IS NULL THEN ''"
        f" ELSE '.' || quote_ident({_bare('coalesce(m[3], m[4])')}) END"
        f" FROM regexp_match({value}, {_literal(_PATH)}) AS m)"
    )


def _type(value: str) -> str:
    own = f"btrim({value}, {_BLANKS})"
    capitals = (
        "(SELECT FROM regexp_matches({}, '[A-Za-z]+', 'g') AS w WHERE w[1] NOT IN (lower(w[1]), upper(w[1])))"
    )
    return (
        f"CASE WHEN {own} ~* {_literal(f'^(?:{OWN_TYPE})$')} AND NOT EXISTS {capitals.format(own)} THEN {own}"
        f" ELSE (SELECT {_path('name')} || suffix"
        f" FROM (SELECT left({value}, length({value}) - length(suffix)) AS name, suffix"
        f" FROM (SELECT coalesce(substring({value} FROM {_literal(f'(?i)({SUFFIX})$')}), '')"
        " AS suffix) AS found)"
        f" AS taken WHERE regexp_replace(name, {_literal(_Q)}, '', 'g') !~ '[][()]') END"
    )


def _alone(value: str) -> str:
    bare = f"btrim({value}, {_BLANKS})"
    return (
        f"CASE WHEN {bare} LIKE '\"%' THEN CASE WHEN {bare} ~ {_literal(f'^{_Q}$')} THEN {_bare(bare)} END"
        f" WHEN {value} NOT LIKE '%.%' THEN {_bare(value)} END"
    )


def _names(value: str) -> str:
    part = f"rtrim(part[1], {_BLANKS})"
    right = f"bool_and(name IS NOT NULL AND name NOT LIKE '%,%' AND name = btrim(name, {_BLANKS}))"
    return (
        f"CASE WHEN {value} ~ {_literal(_list_of(_ONE))} THEN (SELECT CASE WHEN {right}"
        f" THEN string_agg(name, ', ' ORDER BY n) END"
        f" FROM (SELECT n, {_alone(part)} AS name"
        f" FROM regexp_matches({value}, {_literal(_ONE)}, 'g')"
        " WITH ORDINALITY AS found (part, n)) AS list) END"
    )


def _names_or_sql(value: str) -> str:
    return (
        f"CASE WHEN {value} ~ {_literal(_list_of(_WORD))} THEN (SELECT CASE WHEN bool_and(name IS NOT NULL)"
        f" THEN string_agg(quote_ident(name), ', ' ORDER BY n) END FROM (SELECT n, {_bare('part[1]')} AS name"
        f" FROM regexp_matches({value}, {_literal(_WORD)}, 'g') WITH ORDINALITY AS found (part, n)) AS list)"
        f" ELSE {value} END"
    )


def _list_of(one: str) -> str:
    return f"^{_B}{one}{_B}(?:,{_B}{one}{_B})*$"


def _literal(pattern: str) -> str:
    return quote_literal(pattern).lstrip()
