"""What other sessions can do on a table while a statement holds its locks, or waits with them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pgrehearse.measurement.statement.client import Client, Clones, LockWait
from pgrehearse.measurement.statement.facts import PROBES
from pgrehearse.measurement.statement.relations import Catalog, Relation
from pgrehearse.text.variables import quote_identifier

__all__ = ["Probed", "Prober", "Probes"]

# generated: always computed; own: its default is a sequence, so that leaving it out asks for the next value
_COLUMNS = """
SELECT a.attrelid::bigint, a.attname, a.attgenerated <> '' OR a.attidentity = 'a' AS generated,
       a.attidentity <> ''
           OR coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', false) AS own,
       EXISTS (SELECT FROM pg_catalog.pg_index AS i
                WHERE i.indrelid = a.attrelid AND i.indisunique AND a.attnum = ANY (i.indkey)) AS key
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
  LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attrelid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attrelid, a.attnum
"""
#: name, generated, own, key
_Column = tuple[str, bool, bool, bool]


@dataclass(frozen=True)
class Probed:
    """Results by table's oid, and the tables where a probe met rows the statement had changed.

    ``through``: table -> its partitions or children at which its requests wait, and the probes that wait
    elsewhere too.
    """

    results: dict[int, dict[str, str]]
    row_locks: frozenset[int]
    through: dict[int, tuple[frozenset[int], frozenset[str]]]


class Probes:
    """The statements to try on each relation of ``catalog``, read from ``client``'s database.

    Read before the measured statement starts, because what they need from the catalog may be locked later.
    They fit every clone of that database.
    """

    def __init__(self, client: Client, catalog: Catalog) -> None:
        self._columns: dict[int, list[_Column]] = {}
        self._inserts: dict[int, str] = {}
        self.renew(client, catalog, ())

    def renew(self, client: Client, catalog: Catalog, touched: Collection[int]) -> None:
        """Read again what a statement may have changed that locked ``touched``, and what it made."""
        self.catalog = catalog
        self._columns = {}
        for oid, name, generated, own, key in client.rows(_COLUMNS):
            self._columns.setdefault(oid, []).append((name, generated, own, key))
        for table in catalog.tables():
            if table.oid in touched or table.oid not in self._inserts:
                self._inserts[table.oid] = self._insert(client, table)

    def on(self, oid: int) -> dict[str, str]:
        """Statement by probe, on the relation ``oid``."""
        relation = self.catalog.relations[oid]
        table = relation.name  # quoted by quote_ident
        one = f"SELECT 1 FROM {table} LIMIT 1"
        if not relation.is_table:
            return {"SELECT": one}
        columns = self._columns.get(oid, [])
        settable = [(key, number) for number, (_, generated, _, key) in enumerate(columns) if not generated]
        which = f"(tableoid, ctid) = (SELECT tableoid, ctid FROM {table} LIMIT 1)"
        texts = {
            "SELECT": one,
            "SELECT FOR UPDATE": f"{one} FOR UPDATE",
            "INSERT": self._inserts[oid],
            "DELETE": f"DELETE FROM {table} WHERE {which}",
        }
        if settable:
            column = quote_identifier(columns[min(settable)[1]][0])
            texts["UPDATE"] = f"UPDATE {table} SET {column} = {column} WHERE {which}"
        return {probe: texts[probe] for probe in PROBES if probe in texts}

    def _insert(self, client: Client, relation: Relation) -> str:
        """Inserts a copy of a row; into a partitioned table one of each partition, where a row goes.

        The values are written out: a query for them would wait for what a plain INSERT does not touch.
        """
        columns = self._columns.get(relation.oid, [])
        given = [quote_identifier(name) for name, generated, own, _ in columns if not (generated or own)]
        values = " || ', ' || ".join(f"quote_nullable({name}::text)" for name in given)
        rows: list[tuple[str]] = []
        if given and relation.kind == "p":
            query = f"SELECT DISTINCT ON (tableoid) {values} FROM {relation.name} ORDER BY tableoid"
            rows = client.rows(query)
        elif given:
            rows = client.rows(f"SELECT {values} FROM {relation.name} LIMIT 1")
        if not rows:
            return f"INSERT INTO {relation.name} DEFAULT VALUES"
        listed = ", ".join(f"({row})" for (row,) in rows)
        # A copy that is refused as a duplicate must not keep the next one from being tried.
        rest = " ON CONFLICT DO NOTHING" if len(rows) > 1 else ""
        return f"INSERT INTO {relation.name} ({', '.join(given)}) VALUES {listed}{rest}"


class Prober:
    """Tries SELECT, SELECT FOR UPDATE, INSERT, UPDATE and DELETE, each in a transaction that is rolled back.

    Each works on a real row where there is one: the trigger of a foreign key and nextval() of a sequence are
    what often waits. Whether a statement succeeds is not asked, only whether it must wait. Connected before
    the measured statement starts, which may lock what a connection needs.
    """

    def __init__(self, clones: Clones, client: Client, probes: Probes) -> None:
        self._clones = clones
        self._probes = probes
        self.client = client
        client.rows("SET lock_timeout = 0")

    def probe(self, oids: Iterable[int], statement: int, holder: int = 0) -> Probed:
        """Try all on each of ``oids``. What waits for ``statement``, a backend's process id, counts.

        What waits for ``holder`` alone, the backend that stalls the statement, does not.
        """
        results: dict[int, dict[str, str]] = {}
        rows: set[int] = set()
        places: dict[int, dict[str, int]] = {}
        for oid in sorted(oids):
            results[oid] = {}
            for probe, text in self._probes.on(oid).items():
                wait = self._try(text, statement, holder)
                row = wait is not None and wait.locktype in ("transactionid", "tuple", "spectoken")
                results[oid][probe] = "ok" if row or wait is None else "waits"
                if row:
                    rows.add(oid)
                elif wait is not None:
                    places.setdefault(oid, {})[probe] = self._place(wait, oid)
        through = {oid: self._through(oid, places, statement, holder) for oid in places}
        return Probed(
            results, frozenset(rows), {oid: found for oid, found in through.items() if found is not None}
        )

    def _place(self, wait: LockWait, oid: int) -> int:
        """The table at which a request on ``oid`` waits: itself where it is no other's lock."""
        relation = self._probes.catalog.relations.get(wait.relation or 0)
        return (relation.table or relation.oid) if relation is not None else oid

    def _through(
        self, oid: int, places: dict[int, dict[str, int]], statement: int, holder: int
    ) -> tuple[frozenset[int], frozenset[str]] | None:
        """The parts of ``oid`` at which its requests wait, and the probes that wait elsewhere too.

        A request shows only what it meets first. Parts that it would meet later are those whose own requests
        wait at themselves; what it would meet beyond them shows on a part that lets requests pass.
        """
        catalog, own = self._probes.catalog, places[oid]
        met = {place for place in own.values() if catalog.is_part(place, oid)}
        if not met:
            return None
        met |= {other for other in places if other in places[other].values() and catalog.is_part(other, oid)}
        parts = {part for part in met if not any(catalog.is_part(part, other) for other in met)}
        elsewhere = {probe for probe, place in own.items() if not catalog.is_part(place, oid)}
        if passing := catalog.a_leaf(oid, parts):
            tried = ((probe, text) for probe, text in self._probes.on(passing).items() if probe in own)
            elsewhere |= {probe for probe, text in tried if self._try(text, statement, holder)}
        return (frozenset(parts), frozenset(elsewhere)) if own.keys() - elsewhere else None

    def _try(self, text: str, statement: int, holder: int) -> LockWait | None:
        self.client.run("BEGIN")
        self.client.start(text)
        # Also queued behind somebody else who waits for the statement: the queue is part of the effect.
        wait = self._clones.settle(self.client, {statement, holder})
        self.client.abandon()
        return wait if wait is not None and statement in wait.blockers else None
