"""Requests that fit any table: reads and writes by primary key that leave every row as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from pgrehearse import queries
from pgrehearse.connections import connect

__all__ = ["Request", "Requests", "requests_for", "requests_on"]

#: Keys that requests choose from.
_KEYS = 500

#: How to get from a parameter to the table.
_NAMED = {
    "table": "SELECT pg_catalog.to_regclass(%s)::pg_catalog.oid",
    "index": "SELECT indrelid FROM pg_catalog.pg_index WHERE indexrelid = pg_catalog.to_regclass(%s)",
}
_LARGEST = f"""
SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND NOT c.relispartition
   AND {queries.APPLICATION_TABLE}
 ORDER BY pg_catalog.pg_total_relation_size(c.oid) DESC LIMIT 1
"""
_COLUMNS = """
SELECT attname, attgenerated <> '',
       attidentity <> '' OR pg_catalog.pg_get_expr(adbin, adrelid) LIKE 'nextval(%%',
       EXISTS (SELECT FROM pg_catalog.pg_index
                WHERE indrelid = attrelid AND attnum = ANY (indkey) AND indisprimary),
       EXISTS (SELECT FROM pg_catalog.pg_index WHERE indrelid = attrelid AND attnum = ANY (indkey))
  FROM pg_catalog.pg_attribute LEFT JOIN pg_catalog.pg_attrdef ON adrelid = attrelid AND adnum = attnum
 WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


@dataclass(frozen=True)
class Request:
    """The statements of one request, and the parameters it takes in turn; none for one without."""

    statements: list[str]
    keys: list[list[Any]]


@dataclass(frozen=True)
class Requests:
    """What a load sends; ``words`` say it to people. Reads and writes take turns among their requests."""

    table: str
    rows: int
    reads: list[Request]
    writes: list[Request]
    words: tuple[str, ...]


def requests_for(dsn: str, values: Mapping[str, str]) -> Requests | str:
    """Requests for the table of a runbook with the parameters ``values``, or why there are none.

    The table is that of the parameter ``table``, else of ``index``, else the largest of the database. Each
    statement is tried here, once: what does not work on this table is not sent.
    """
    with connect(dsn) as connection:
        row = _named(connection, values) or connection.execute(_LARGEST).fetchone()
        if row is None:
            return "the database has no table"
        return _Table(connection, row[0], values.get("column", "")).requests()


def requests_on(dsn: str, tables: Sequence[str]) -> Requests | str:
    """Requests that take turns among ``tables``, or why there are none; ``rows`` is of the first table."""
    found = []
    with connect(dsn) as connection:
        for table in tables:
            row = _named(connection, {"table": table})
            if row is None:
                return f"there is no table {table}"
            requests = _Table(connection, row[0], "").requests()
            if isinstance(requests, str):
                return requests
            found.append(requests)
    return Requests(
        " and ".join(one.table for one in found),
        found[0].rows,
        [read for one in found for read in one.reads],
        [write for one in found for write in one.writes],
        tuple(dict.fromkeys(word for one in found for word in one.words)),
    )


def _named(connection: psycopg.Connection, values: Mapping[str, str]) -> tuple[Any, ...] | None:
    for name, question in _NAMED.items():
        if not values.get(name):
            continue
        try:
            with connection.transaction():
                row = connection.execute(question, [values[name]]).fetchone()
        except psycopg.Error:  # before 17 a word that is no name at all is an error
            continue
        if row is not None and row[0] is not None:
            return row
    return None


class _Table:
    def __init__(self, connection: psycopg.Connection, oid: int, changing: str) -> None:
        self.connection = connection
        place = connection.execute(
            "SELECT n.nspname, c.relname FROM pg_catalog.pg_class AS c"
            " JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = %s",
            [oid],
        ).fetchone()
        assert place is not None
        self.name = place[1]
        self.table = SQL("{}.{}").format(*map(Identifier, place))
        columns = connection.execute(_COLUMNS, [oid]).fetchall()
        self.keys = [name for name, _, _, key, _ in columns if key]
        self.copied = [name for name, generated, given, *_ in columns if not (generated or given)]
        plain = [(indexed, name) for name, generated, _, key, indexed in columns if not (generated or key)]
        kept = [pair for pair in plain if pair[1] != changing]
        self.written = min(kept or plain, key=lambda pair: pair[0], default=(False, ""))[1]

    def requests(self) -> Requests | str:
        count = self.connection.execute(
            SQL("SELECT pg_catalog.count(*) FROM {}").format(self.table)
        ).fetchone()
        rows = count[0] if count else 0
        if not rows:
            return f"table {self.name} has no rows"
        keys, where = self._keys()
        columns = SQL(", ").join(map(Identifier, self.copied))
        insert = SQL("INSERT INTO {} ({}) SELECT {} FROM {}{}").format(
            self.table, columns, columns, self.table, where
        )
        written = Identifier(self.written)
        update = SQL("UPDATE {} SET {} = {}{}").format(self.table, written, written, where)
        select = SQL("SELECT * FROM {}{}").format(self.table, where)
        reads = [Request([self._text(select)], keys)]
        writes: list[Request] = []
        words = ["read one row by its key" if keys else "read one row"]
        if keys and self.written and self._works(update, keys[0]):
            writes.append(Request([self._text(update)], keys))
            words.append("update one row by its key, to itself")
        # A copy of some rows is refused, by a unique constraint for example: copy others.
        fit = [key for key in keys or [[]] if self.copied and self._works(insert, key)]
        if fit:
            writes.append(Request(["BEGIN", self._text(insert), "ROLLBACK"], fit if keys else []))
            words.append("insert a copy of a row, rolled back")
        if not writes:
            return f"table {self.name}: neither an update nor an insert of a copy works"
        return Requests(self.name, rows, reads, writes, tuple(words))

    def _keys(self) -> tuple[list[list[Any]], Composed]:
        if not self.keys:
            return [], SQL(" LIMIT {}").format(1)
        listed = SQL(", ").join(SQL("{}::text").format(Identifier(key)) for key in self.keys)
        order = SQL("SELECT {} FROM {} ORDER BY pg_catalog.md5({}::pg_catalog.text) LIMIT {}").format(
            listed, self.table, Identifier(self.keys[0]), _KEYS
        )
        found = [list(row) for row in self.connection.execute(order).fetchall()]
        conditions = SQL(" AND ").join(SQL("{} = {}").format(Identifier(key), SQL("%s")) for key in self.keys)
        return found, SQL(" WHERE {}").format(conditions)

    def _works(self, statement: Composed, key: list[Any]) -> bool:
        try:
            with self.connection.transaction(force_rollback=True):
                self.connection.execute(statement, key or None)
        except psycopg.Error:
            return False
        return True

    def _text(self, statement: Composed) -> str:
        return statement.as_string(self.connection)
