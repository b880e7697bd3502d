"""What a database holds before a statement runs: relations, types, who depends on whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pgrehearse import queries
from pgrehearse.measurement.statement.client import Client

__all__ = ["Catalog", "Relation", "read"]

#: relkind of what a table lock stands on: table, partitioned table, materialized view, view.
_READABLE = ("r", "p", "m", "v")
_TABLES = ("r", "p")

# Temporary relations are the session's own: nobody else can wait for them.
_RELATIONS = f"""
SELECT c.oid::bigint, c.relname, c.relkind::pg_catalog.text, pg_catalog.pg_relation_filenode(c.oid)::bigint,
       CASE n.nspname WHEN 'public' THEN '' ELSE pg_catalog.quote_ident(n.nspname) || '.' END
           || pg_catalog.quote_ident(c.relname),
       coalesce(i.indrelid, 0)::bigint, c.relispopulated,
       EXISTS (SELECT FROM pg_catalog.pg_partitioned_table AS p WHERE p.partdefid = c.oid)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
 WHERE {queries.USER_SCHEMA}
 ORDER BY c.oid
"""
# Row types and arrays follow their table or element.
_TYPES = f"""
SELECT t.oid::bigint,
       CASE n.nspname WHEN 'public' THEN '' ELSE pg_catalog.quote_ident(n.nspname) || '.' END
           || pg_catalog.quote_ident(t.typname)
  FROM pg_catalog.pg_type AS t
  JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
  LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.typrelid
 WHERE {queries.USER_SCHEMA}
   AND t.typcategory <> 'A' AND coalesce(c.relkind, 'c') = 'c'
"""
# (one, other, parent): a lock on one may make statements on other wait; it is the parent of one.
_EDGES = """
SELECT conrelid::bigint, confrelid::bigint, false FROM pg_catalog.pg_constraint WHERE contype = 'f'
UNION SELECT confrelid::bigint, conrelid::bigint, false FROM pg_catalog.pg_constraint WHERE contype = 'f'
UNION SELECT inhrelid::bigint, inhparent::bigint, true FROM pg_catalog.pg_inherits
UNION SELECT d.objid::bigint, d.refobjid::bigint, false
        FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_class AS c ON c.oid = d.objid
       WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
         AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.relkind = 'S'
UNION SELECT d.refobjid::bigint, a.adrelid::bigint, false
        FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_attrdef AS a ON a.oid = d.objid
       WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
         AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> a.adrelid
"""


@dataclass(frozen=True)
class Relation:
    """One relation. ``table`` is the table's oid for an index, else 0.

    ``populated``: it can be read. A materialized view that was made WITH NO DATA cannot. ``default``: it is
    the default partition of a table.
    """

    oid: int
    relname: str
    kind: str
    filenode: int | None
    name: str
    table: int
    populated: bool = True
    default: bool = False

    @property
    def is_table(self) -> bool:
        return self.kind in _TABLES

    @property
    def is_index(self) -> bool:
        return self.kind in ("i", "I")

    @property
    def is_readable(self) -> bool:
        return self.kind in _READABLE


@dataclass(frozen=True)
class Catalog:
    """Relations and types by oid, which tables a lock elsewhere may reach, and the parents of each child."""

    relations: dict[int, Relation]
    types: dict[int, str]
    edges: dict[int, frozenset[int]]
    parents: dict[int, frozenset[int]]

    def tables(self) -> list[Relation]:
        """Tables and partitioned tables, in order of oid."""
        return [relation for relation in self.relations.values() if relation.is_table]

    def reached(self, oids: Iterable[int]) -> set[int]:
        """Relations that can be read and where somebody might wait while ``oids`` are locked."""
        found: set[int] = set()
        for oid in oids:
            relation = self.relations.get(oid)
            if relation is None:
                continue
            start = relation.table or oid
            found |= {start, *self.edges.get(oid, ()), *self._ancestors(start)}
        return {oid for oid in found if oid in self.relations and self.relations[oid].is_readable}

    def is_part(self, oid: int, of: int) -> bool:
        """Whether ``oid`` is a partition or a child of ``of``, at whatever depth."""
        above = self.parents.get(oid, frozenset())
        return of in above or any(self.is_part(one, of) for one in above)

    def a_leaf(self, of: int, beside: Collection[int]) -> int | None:
        """A partition or child of ``of`` with rows of its own that is none of ``beside``, nor below one."""
        for oid, relation in self.relations.items():
            free = oid not in beside and not any(self.is_part(oid, one) for one in beside)
            if relation.kind == "r" and free and self.is_part(oid, of):
                return oid
        return None

    def rewritten(self, after: dict[int, Relation]) -> list[str]:
        """Tables and indexes of this catalog that have another file in ``after``.

        An index that was built anew under its old name counts: REINDEX CONCURRENTLY does so. One that was
        there before under another name does not: it has the file it had.
        """
        before = {relation.filenode for relation in self.relations.values()}
        indexes = {relation.name: relation for relation in after.values() if relation.is_index}
        found = []
        for relation in self.relations.values():
            now = after.get(relation.oid) or (indexes.get(relation.name) if relation.is_index else None)
            if relation.kind == "S" or now is None:
                continue
            if now.filenode != relation.filenode and (now.oid == relation.oid or now.filenode not in before):
                found.append(relation.name)
        return sorted(found)

    def _ancestors(self, oid: int) -> set[int]:
        found: set[int] = set()
        waiting = [oid]
        while waiting:
            new = self.edges.get(waiting.pop(), frozenset()) - found - {oid}
            found |= new
            waiting += [one for one in new if self.relations.get(one) and self.relations[one].kind == "p"]
        return found


def relations(client: Client) -> dict[int, Relation]:
    """Relations as ``client`` sees them now, uncommitted changes of its own included."""
    rows = client.rows(_RELATIONS)
    return {row[0]: Relation(*row) for row in rows}


def read(client: Client) -> Catalog:
    """Read the catalog of the database ``client`` is connected to."""
    edges: dict[int, frozenset[int]] = {}
    parents: dict[int, frozenset[int]] = {}
    for one, other, parent in client.rows(_EDGES):
        for known in (edges, parents) if parent else (edges,):
            known[one] = known.get(one, frozenset()) | {other}
    return Catalog(relations(client), dict(client.rows(_TYPES)), edges, parents)
