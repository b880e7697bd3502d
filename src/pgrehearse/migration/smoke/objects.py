"""What a contract has to cover: the constraints, indexes, enum labels, defaults and triggers of a database.

Only catalogs are read, so this is the same on an empty test database and on production.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import psycopg

from pgrehearse import queries

__all__ = ["KINDS", "Object", "read", "troubled"]

#: Kinds in the order of the report, and their plural in it.
KINDS = {
    "constraint": "constraints",
    "not null": "NOT NULL columns",
    "index": "indexes",
    "label": "enum labels",
    "default": "defaults",
    "trigger": "triggers",
}

_COLUMNS = "kind, name, tablename, schemaname, definition, problem, mend, oid, comment"
_BACKED = "SELECT conindid FROM pg_catalog.pg_constraint WHERE contype IN ('u', 'p', 'x')"
_KEYS = """
SELECT k.conrelid::pg_catalog.regclass::pg_catalog.text || '.' || pg_catalog.quote_ident(a.attname)
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
 WHERE k.contype = 'p'
"""
_UNIQUE = "SELECT indexrelid FROM pg_catalog.pg_index WHERE indisunique"


@dataclass(frozen=True)
class Object:
    """One thing a schema promises.

    Attributes:
        name: as SQL writes it; ``TABLE.COLUMN`` of NOT NULL and defaults, the bare label of an enum.
        table: the table, or the type of a label or a domain's constraint.
        definition: what PostgreSQL says it is.
        problem: why it does not hold now, whatever a statement shows; empty when nothing is wrong.
        mend: what to do about the problem; of a default, the type of its column.
        oid: of the constraint, index, trigger or enum type; None of columns.
        implied: whether a constraint speaks for it: the index of a UNIQUE, the NOT NULL of a primary key.
    """

    kind: str
    name: str
    table: str
    schema: str
    definition: str
    problem: str
    mend: str
    oid: int | None
    comment: str
    implied: bool = False

    def __str__(self) -> str:
        if self.kind in ("not null", "default"):
            return f"{self.kind} {self.name}"
        preposition = "of" if self.kind == "label" else "on"
        return f"{self.kind} {self.name} {preposition} {self.table}"

    def called(self, name: str, table: str = "") -> bool:
        """Whether it was meant by these words; a schema may be left out where the search path has it."""
        own, on = self.name, self.table
        named = name in (own, f"{self.schema}.{own}")
        return named and table in ("", on, f"{self.schema}.{on}")

    @property
    def _sqlstate(self) -> str:
        kinds = {"CHECK": "23514", "FOREIGN KEY": "23503", "EXCLUDE": "23P01"}
        return next((state for kind, state in kinds.items() if self.definition.startswith(kind)), "23505")

    @property
    def wanted(self) -> str:
        """The line a contract needs for it."""
        return {
            "constraint": f"refuses {self._sqlstate} {self.name}",
            "not null": f"refuses 23502 {self.name}",
            "index": f"uses {self.name}",
            "label": f"labels {self.table}: ..., {self.name}, ...",
            "default": f"default {self.name} = {self.definition}",
            "trigger": f"fires {self.name} on {self.table}",
        }[self.kind]


def troubled(connection: psycopg.Connection[Any]) -> list[Object]:
    """Those of them that do not hold now, by table, without definition: INVALID, NOT VALID, disabled.

    Only catalogs are read and no table is locked, so that nobody is in the way who holds one.
    """
    query = (
        b"SELECT * FROM ("
        + queries.text("smoke_objects", defined="false")
        + b"\n) AS o (%b)" % _COLUMNS.encode()
    )
    rows = connection.execute(query + b" WHERE o.problem IS NOT NULL ORDER BY o.tablename, o.name")
    return [_object(row) for row in rows]


def read(connection: psycopg.Connection[Any]) -> list[Object]:
    """Everything that is to be covered, by kind and table. A unique index of no constraint is one, too."""
    backed = {row[0] for row in connection.execute(_BACKED)}
    unique = {row[0] for row in connection.execute(_UNIQUE)}
    keys = {row[0] for row in connection.execute(_KEYS.encode())}
    found = []
    for row in connection.execute(queries.text("smoke_objects", defined="true")):
        one = _object(row)
        kind, name, oid = one.kind, one.name, one.oid
        if kind == "index":
            one = replace(one, implied=oid in backed)
            if oid in unique and not one.implied:
                found.append(replace(one, kind="constraint"))
        elif kind == "not null":
            one = replace(one, implied=name in keys)
        found.append(one)
    order = list(KINDS)
    labels = _label_order(connection)
    return sorted(
        found,
        key=lambda o: (order.index(o.kind), o.table, labels.get((o.oid, o.name), 0.0), o.name),
    )


def _object(row: tuple[Any, ...]) -> Object:
    kind, name, table, schema, definition, problem, mend, oid, comment = row
    return Object(kind, name, table, schema, definition or "", problem or "", mend or "", oid, comment or "")


def _label_order(connection: psycopg.Connection[Any]) -> dict[tuple[int | None, str], float]:
    rows = connection.execute("SELECT enumtypid, enumlabel, enumsortorder FROM pg_catalog.pg_enum")
    return {(oid, label): float(order) for oid, label, order in rows}
