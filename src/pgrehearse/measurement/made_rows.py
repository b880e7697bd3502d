"""Rows for tables that hold none, made from the types of their columns.

A statement that meets no row says little: a WHERE that matches nothing changes nothing, and a scan reads
nothing. Rows of the application are better; these are for tables that nobody gave any.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from pgrehearse import queries
from pgrehearse.connections import connect

__all__ = ["NULLS", "constants", "fill"]

#: Older tables first: those that foreign keys refer to are mostly made before.
_TABLES = f"""
SELECT c.oid::bigint, n.nspname, c.relname
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND {queries.APPLICATION_TABLE}
 ORDER BY c.oid
"""
_COLUMNS = """
SELECT a.attname, pg_catalog.format_type(coalesce(nullif(t.typbasetype, 0), a.atttypid),
                                         CASE WHEN t.typbasetype <> 0 THEN t.typtypmod ELSE a.atttypmod END),
       coalesce(b.typcategory, t.typcategory)::pg_catalog.text, coalesce(b.oid, t.oid)::bigint,
       coalesce(b.typname, t.typname),
       NOT a.attnotnull AND NOT t.typnotnull, t.typtype = 'd',
       EXISTS (SELECT FROM pg_catalog.pg_index AS i
                WHERE i.indrelid = a.attrelid AND (i.indisunique OR i.indisexclusion)
                  AND a.attnum = ANY (i.indkey)),
       EXISTS (SELECT FROM pg_catalog.pg_constraint AS k
                WHERE k.conrelid = a.attrelid AND k.contype = 'f' AND a.attnum = ANY (k.conkey))
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_type AS b ON b.oid = t.typbasetype
  LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
   AND coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid) NOT LIKE 'nextval(%%', true)
 ORDER BY a.attnum
"""
_BOUNDS = """
SELECT pg_catalog.pg_get_constraintdef(k.oid)
  FROM pg_catalog.pg_constraint AS k WHERE k.conrelid = %s AND k.contype = 'c'
"""
_PARTITIONS = """
SELECT pg_catalog.pg_get_expr(c.relpartbound, c.oid)
  FROM pg_catalog.pg_inherits AS h JOIN pg_catalog.pg_class AS c ON c.oid = h.inhrelid
 WHERE h.inhparent = %s
"""
_LABELS = "SELECT enumlabel FROM pg_catalog.pg_enum WHERE enumtypid = %s ORDER BY enumsortorder"
_CONSTANT = re.compile(r"'((?:[^']|'')*)'")
_NUMBERS = ("int2", "int4", "int8", "numeric", "float4", "float8", "money", "oid")
_MOST = 40  # constants that are tried
NULLS = 5  # in each of so many rows, columns that may be NULL are


@dataclass(frozen=True)
class _Column:
    name: str
    type: str
    category: str
    oid: int
    base: str
    nullable: bool
    domain: bool
    key: bool
    refers: bool


def constants(text: str) -> list[str]:
    """What stands in quotes in ``text``, each once: a WHERE may look for it."""
    found = [one.replace("''", "'") for one in _CONSTANT.findall(text)]
    return list(dict.fromkeys(found))[:_MOST]


def fill(dsn: str, rows: int, known: Sequence[str] = (), *, nulls: int = NULLS) -> tuple[str, ...]:
    """Put ``rows`` rows into each table that holds none, where that can be done; the names of those.

    Args:
        dsn: of a disposable database, its role the owner of the tables.
        known: constants that some rows hold, see `constants`.
        nulls: columns that may be NULL are, in each such row; 0: in none, 1: in all.
    """
    done: list[str] = []
    with connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        with suppress(psycopg.Error):  # else triggers and foreign keys are obeyed
            connection.execute("SET session_replication_role = replica")
        for oid, schema, name in connection.execute(_TABLES).fetchall():
            table = Identifier(schema, name)
            there = connection.execute(SQL("SELECT EXISTS (SELECT FROM {})").format(table)).fetchone()
            if there is None or there[0]:
                continue
            if _fill(connection, oid, table, rows, known, nulls=nulls):
                done.append(name if schema == "public" else f"{schema}.{name}")
    return tuple(done)


def _fill(
    connection: psycopg.Connection[Any],
    oid: int,
    table: Identifier,
    rows: int,
    known: Sequence[str],
    *,
    nulls: int,
) -> bool:
    columns = [_Column(*row) for row in connection.execute(_COLUMNS, [oid]).fetchall()]
    bounds = " ".join(str(row[0]) for row in connection.execute(_BOUNDS, [oid]).fetchall())
    parts = [str(row[0]) for row in connection.execute(_PARTITIONS, [oid]).fetchall()]
    names = SQL(" ({})").format(SQL(", ").join(Identifier(column.name) for column in columns))
    for values in _attempts(connection, columns, known, constants(bounds), parts, nulls=nulls):
        insert = SQL("INSERT INTO {}{} SELECT {} FROM pg_catalog.generate_series(1, {}) AS g").format(
            table, names if columns else SQL(""), SQL(", ".join(values)), rows
        )
        try:
            connection.execute(insert)
        except psycopg.Error:
            continue
        return True
    return False


def _attempts(
    connection: psycopg.Connection[Any],
    columns: Sequence[_Column],
    known: Sequence[str],
    bounds: Sequence[str],
    parts: Sequence[str],
    *,
    nulls: int,
) -> Iterator[list[str]]:
    """Expressions over ``g`` for ``columns``: those that say most first, plainer ones after them."""
    labels = {
        column.oid: [str(row[0]) for row in connection.execute(_LABELS, [column.oid]).fetchall()]
        for column in columns
        if column.category == "E"
    }
    partitioned = [word for part in parts for word in _accepted(part)][:_MOST]
    for words, empty in (
        ((*partitioned, *known), nulls),
        (known, nulls),
        (bounds, nulls),
        (partitioned, 0),
        (bounds, 0),
        ((), 0),
    ):
        only = words is bounds or words is partitioned
        yield [_value(column, labels, list(words), only=only, nulls=empty) for column in columns]


def _value(column: _Column, labels: dict[int, list[str]], words: list[str], *, only: bool, nulls: int) -> str:
    """An expression of the type of ``column`` over ``g``, the number of the row."""
    plain = _plain(column, labels)
    if words and not column.key and not column.refers and (texts := _fitting(column, words, numbers=only)):
        listed = ", ".join(_quoted(text) for text in texts)
        one = f"((ARRAY[{listed}]::pg_catalog.text[])[1 + g / 2 % {len(texts)}])::{column.type}"
        plain = one if only else f"CASE WHEN g % 2 = 0 THEN {one} ELSE {plain} END"
    given = column.refers or (column.domain and nulls > 1)  # a domain may have a rule of its own
    if nulls and column.nullable and not given:
        return f"CASE WHEN g % {nulls} = 0 THEN NULL ELSE {plain} END"
    return plain


def _accepted(bound: str) -> list[str]:
    """Values that a partition with this bound takes; the end of a range is none of them."""
    taken = bound.partition(" TO ")[0]
    return constants(taken) or re.findall(r"-?\b\d+\b", taken)


def _fitting(column: _Column, words: list[str], *, numbers: bool) -> list[str]:
    """Those of ``words`` that a column of this type may hold."""
    if column.category == "S":
        limit = re.search(r"\((\d+)\)", column.type)
        return [word for word in words if limit is None or len(word) <= int(limit[1])]
    if column.category == "D":
        return [word for word in words if re.match(r"\d{4}-\d\d-\d\d", word)]
    if column.category == "N" and numbers:
        return [word for word in words if re.fullmatch(r"-?\d+", word)]
    return []


def _plain(column: _Column, labels: dict[int, list[str]]) -> str:
    base, name = column.base, column.type
    if column.category == "E":
        known = labels.get(column.oid, [])
        listed = ", ".join(map(_quoted, known))
        return f"((ARRAY[{listed}]::pg_catalog.text[])[1 + g % {max(1, len(known))}])::{name}"
    by_type = {
        "bool": "g % 2 = 0",
        "uuid": "pg_catalog.md5(g::pg_catalog.text)::pg_catalog.uuid",
        "json": "'{}'::pg_catalog.json",
        "jsonb": "'{}'::pg_catalog.jsonb",
        "date": "'2024-01-01'::pg_catalog.date + (g % 700)::pg_catalog.int4",
        "time": "'00:00'::pg_catalog.time",
        "timestamp": "'2024-01-01'::pg_catalog.timestamp + g * interval '1 hour'",
        "timestamptz": "'2024-01-01Z'::pg_catalog.timestamptz + g * interval '1 hour'",
        "interval": "g * interval '1 minute'",
        "bytea": "pg_catalog.decode(pg_catalog.md5(g::pg_catalog.text), 'hex')",
        "inet": "'10.0.0.0'::pg_catalog.inet + g",
        "cidr": "('10.0.0.0'::pg_catalog.inet + g)::pg_catalog.cidr",
        "xml": "'<a/>'::pg_catalog.xml",
        "int2": "(g % 30000)::pg_catalog.int2",
    }
    if base in by_type:
        return by_type[base]
    if base in _NUMBERS:
        precision = re.search(r"\((\d+),(\d+)\)", name)
        digits = int(precision[1]) - int(precision[2]) if precision else 9
        return f"(g % {10 ** max(1, min(digits, 9))})::{name}" if digits < 5 else f"g::{name}"
    if column.category == "S":
        limit = re.search(r"\((\d+)\)", name)
        text = "g::pg_catalog.text" if limit and int(limit[1]) < 12 else "'row ' || g"
        return f"pg_catalog.left({text}, {limit[1]})" if limit else text
    if column.category == "A":
        return f"'{{}}'::{name}"
    if column.category == "R":
        return f"'empty'::{name}"
    if column.category == "B" or base in ("bit", "varbit"):
        return f"0::pg_catalog.int4::{name}" if base == "bit" else "'0'"
    return f"NULL::{name}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
