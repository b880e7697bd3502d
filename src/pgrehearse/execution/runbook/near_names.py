"""A hint where a parameter names nothing, or no table of this role: what is there, here or elsewhere."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any

import psycopg

from pgrehearse import queries
from pgrehearse.connections import connect
from pgrehearse.execution.results import CellResult
from pgrehearse.text.answers import stopped
from pgrehearse.text.variables import quote_json
from pgrehearse.text.written_names import (
    LONGEST,
    NameKind,
    UnreadableName,
    names_of,
    path_of,
    read_by_sql,
    typed,
)

__all__ = ["names_nothing", "near_names"]

#: SQLSTATEs of a table, a column, a schema or an object that is not there, or not for this role.
_NO_NAME = ("42P01", "42703", "3F000", "42704", "42501", "42809")
#: What a parameter of a kind cannot mean.
_NOT = {
    NameKind.RELATION: ("column", "constraint", "value", "type"),
    NameKind.TYPE: ("column", "constraint", "value", "index", "sequence"),
    NameKind.NAMES: ("constraint", "index", "value", "type", "table", "view", "sequence"),
}
#: Of a longer list nobody knows which is meant.
_MOST = 3


def names_nothing(result: CellResult) -> bool:
    """Whether ``result`` may come of a name that is not there as it was given."""
    return bool(stopped(result.output)) or (
        result.failure is not None and result.failure.sqlstate in _NO_NAME
    )


def near_names(
    conninfo: str, values: Mapping[str, str], used: Container[str], kinds: Mapping[str, NameKind]
) -> list[str]:
    """What these relations are, where they are no tables of this role; what is there under names like these.

    ``used``: parameters of the step that was refused; the others only say in which table and type to look.
    ``kinds``: of the parameters that have one. Where the database cannot be asked, there is no hint.
    """
    given = [
        {"place": place, "used": parameter in used, "parameter": parameter, **name}
        for place, (parameter, value) in enumerate(values.items())
        for name in _names(value, kinds.get(parameter, NameKind.TEXT))
    ]
    if not given:
        return []
    relations = [name for name in given if kinds.get(str(name["parameter"])) is NameKind.RELATION]
    query = queries.text("run_names", given=quote_json(given))
    try:
        with connect(conninfo, autocommit=True, options="-c statement_timeout=10000") as connection:
            rows = connection.execute(query).fetchall()
            are = connection.execute(queries.text("run_relations", given=quote_json(relations))).fetchall()
    except psycopg.Error:
        return []
    first: dict[
        tuple[str, str], str
    ] = {}  # of two parameters that may mean it, the one that is asked for first
    for parameter, value, what, there in rows:
        kind = kinds.get(parameter, NameKind.TEXT)
        own = what == "type" and "." not in there  # of PostgreSQL itself
        if what not in _NOT.get(kind, ()) and (kind is NameKind.TYPE or not own):
            alone = kind in (NameKind.NAME, NameKind.NAMES) and what in ("column", "constraint", "index")
            name = typed(there) if alone else there
            first.setdefault((what, there), f"{parameter}={value}: there is the {what} {name}")
    said = [f"{parameter}={value}: {what}" for parameter, value, what in are if what]
    return [*said, *first.values()][:_MOST]


def _names(value: str, kind: NameKind) -> Iterator[dict[str, Any]]:
    """The names that ``value`` gives, each as it may be typed, and with what it may have been meant for."""
    try:
        if kind in (NameKind.RELATION, NameKind.TYPE) and value:
            *schema, name = path_of(kind, value)
            yield _named(".".join(map(typed, (*schema, name))), schema[0] if schema else None, name)
            return
        if (names := names_of(kind, value)) is not None:
            yield from (_named(name, None, name) for name in names if name)
            return
    except UnreadableName:
        pass
    yield from _read_as_sql(value)


def _read_as_sql(value: str) -> Iterator[dict[str, Any]]:
    """``value``, or each of the names in it, as SQL reads it and as one that stands for itself."""
    parts = [part.strip() for part in value.split(",")]
    for text in filter(None, dict.fromkeys((*parts, value))):
        found = read_by_sql(text)
        if found is None:
            yield _named(text, None, None, text)
            continue
        *schema, (bare, name) = found
        yield _named(text, schema[0][1] if schema else None, name, bare)


def _named(text: str, schema: str | None, name: str | None, bare: str = "") -> dict[str, Any]:
    meant = [one for one in (bare or name or text, text) if len(one.encode()) <= LONGEST]
    cases = sorted({f(one) for one in meant for f in (str, str.lower, str.upper, str.title)})
    return {"value": text, "schema": schema, "name": name, "variants": cases}
