"""What a contract has to cover: the constraints, indexes, enum labels, defaults and triggers of a database.

Only catalogs are read, so this is the same on an empty test database and on production.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import psycopg

__all__ = ["KINDS", "Object", "read", "tables"]

#: Kinds in the order of the report, and their plural in it.
KINDS = {
    "constraint": "constraints",
    "not null": "NOT NULL columns",
    "index": "indexes",
    "label": "enum labels",
    "default": "defaults",
    "trigger": "triggers",
}

#: Not the schema's own: the catalogs, the ledger, what extensions brought, partitions (their parent speaks
#: for them) and what inheritance handed down.
_OWN_SCHEMA = """n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'pgrehearse')
      AND n.nspname NOT LIKE 'pg\\_temp\\_%' AND n.nspname NOT LIKE 'pg\\_toast\\_temp\\_%'"""
_OWN_TABLE = f"""
    SELECT c.oid, c.relkind, c.oid::regclass::text AS name, n.nspname
      FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT c.relispartition AND {_OWN_SCHEMA}
       AND NOT (n.nspname = 'public' AND c.relname = 'schema_migrations')
       AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid
                          AND deptype = 'e')
"""
_OWN_TYPE = f"""
    SELECT t.oid, t.typtype, t.typnotnull, t.oid::regtype::text AS name, n.nspname
      FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
     WHERE t.typtype IN ('e', 'd') AND {_OWN_SCHEMA}
       AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_type'::regclass AND objid = t.oid
                          AND deptype = 'e')
"""
# Columns: kind, name, table, schema, definition, problem, mend, oid, comment.
_OBJECTS = f"""
WITH own_table AS ({_OWN_TABLE}), own_type AS ({_OWN_TYPE})
SELECT 'constraint', quote_ident(k.conname), coalesce(t.name, d.name), coalesce(t.nspname, d.nspname),
       pg_get_constraintdef(k.oid),
       CASE WHEN to_jsonb(k) ->> 'conenforced' = 'false' THEN 'is NOT ENFORCED'
            WHEN NOT k.convalidated THEN 'is NOT VALID: rows that were there before may break it' END,
       CASE WHEN NOT k.convalidated THEN 'validate it' END,
       k.oid, obj_description(k.oid, 'pg_constraint')
  FROM pg_constraint AS k
  LEFT JOIN own_table AS t ON t.oid = k.conrelid
  LEFT JOIN own_type AS d ON d.oid = k.contypid
 WHERE k.contype IN ('c', 'u', 'p', 'f', 'x') AND coalesce(t.oid, d.oid) IS NOT NULL
   AND k.conislocal AND k.conparentid = 0
UNION ALL
SELECT 'not null', t.name || '.' || quote_ident(a.attname), t.name, t.nspname, 'NOT NULL',
       CASE WHEN v.invalid THEN 'is NOT VALID: rows that were there before may be NULL' END,
       CASE WHEN v.invalid THEN 'validate it' END, NULL, NULL
  FROM pg_attribute AS a JOIN own_table AS t ON t.oid = a.attrelid
  LEFT JOIN LATERAL (
      SELECT bool_or(NOT convalidated) AS invalid FROM pg_constraint
       WHERE conrelid = a.attrelid AND contype = 'n' AND conkey[1] = a.attnum) AS v ON true
 WHERE a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped AND t.relkind IN ('r', 'p', 'f')
UNION ALL
SELECT 'not null', name, name, nspname, 'NOT NULL', NULL, NULL, NULL, NULL
  FROM own_type WHERE typtype = 'd' AND typnotnull
UNION ALL
SELECT 'index', quote_ident(c.relname), t.name, t.nspname, pg_get_indexdef(c.oid),
       CASE WHEN NOT (i.indisvalid AND i.indisready AND i.indislive) THEN 'is INVALID: no query uses it' END,
       'see the runbook index-repair', c.oid, obj_description(c.oid, 'pg_class')
  FROM pg_index AS i JOIN own_table AS t ON t.oid = i.indrelid JOIN pg_class AS c ON c.oid = i.indexrelid
UNION ALL
SELECT 'label', e.enumlabel, t.name, t.nspname, 'label', NULL, NULL, t.oid, NULL
  FROM pg_enum AS e JOIN own_type AS t ON t.oid = e.enumtypid
UNION ALL
SELECT 'default', t.name || '.' || quote_ident(a.attname), t.name, t.nspname,
       CASE WHEN a.attidentity <> '' THEN 'identity' WHEN a.attgenerated <> '' THEN 'generated'
            ELSE pg_get_expr(d.adbin, d.adrelid) END,
       NULL, format_type(a.atttypid, a.atttypmod), NULL, NULL
  FROM pg_attribute AS a JOIN own_table AS t ON t.oid = a.attrelid
  LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE (d.oid IS NOT NULL OR a.attidentity <> '') AND NOT a.attisdropped AND a.attislocal
UNION ALL
SELECT 'trigger', quote_ident(g.tgname), t.name, t.nspname, pg_get_triggerdef(g.oid),
       CASE g.tgenabled WHEN 'D' THEN 'is disabled' WHEN 'R' THEN 'fires on replicas only' END,
       format('ALTER TABLE %s ENABLE TRIGGER %I', t.name, g.tgname), g.oid,
       obj_description(g.oid, 'pg_trigger')
  FROM pg_trigger AS g JOIN own_table AS t ON t.oid = g.tgrelid
 WHERE NOT g.tgisinternal AND g.tgparentid = 0
"""
_BACKED = "SELECT conindid FROM pg_constraint WHERE contype IN ('u', 'p', 'x')"
_KEYS = """
SELECT k.conrelid::regclass::text || '.' || quote_ident(a.attname)
  FROM pg_constraint AS k JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
 WHERE k.contype = 'p'
"""
_UNIQUE = "SELECT indexrelid FROM pg_index WHERE indisunique"


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


def read(connection: psycopg.Connection[Any]) -> list[Object]:
    """Everything that is to be covered, by kind and table. A unique index of no constraint is one, too."""
    backed = {row[0] for row in connection.execute(_BACKED)}
    unique = {row[0] for row in connection.execute(_UNIQUE)}
    keys = {row[0] for row in connection.execute(_KEYS.encode())}
    found = []
    for row in connection.execute(_OBJECTS.encode()):
        kind, name, table, schema, definition, problem, mend, oid, comment = row
        one = Object(
            kind, name, table, schema, definition or "", problem or "", mend or "", oid, comment or ""
        )
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


def _label_order(connection: psycopg.Connection[Any]) -> dict[tuple[int | None, str], float]:
    rows = connection.execute("SELECT enumtypid, enumlabel, enumsortorder FROM pg_enum")
    return {(oid, label): float(order) for oid, label, order in rows}


def tables(connection: psycopg.Connection[Any]) -> list[str]:
    """The schema's own tables that hold rows, as SQL names them."""
    query = f"SELECT name FROM ({_OWN_TABLE}) AS own WHERE relkind IN ('r', 'p') ORDER BY name"
    return [row[0] for row in connection.execute(query.encode())]
