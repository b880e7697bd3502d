"""Facts of a statement that cannot be observed in a transaction: from what it waits for, on clones.

Commands that refuse BEGIN take and leave their locks within milliseconds, in several transactions; looking at
pg_locks meanwhile is luck. Two questions have the same answer every time:

* *conflicts*: another session holds a mode on a table; must the statement wait for it, and on what?
* *stall and probe*: while it is stopped there, what can readers and writers do?

Each is asked on a clone of its own. A wait ends only when we end it, so none depends on timing. What a
command takes without ever waiting for it, VACUUM's lock to cut off the end of a table, is in the WAL.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

import psycopg

from pgrehearse.measurement.statement import observing, wal
from pgrehearse.measurement.statement import relations as catalogs
from pgrehearse.measurement.statement.client import Client, Clones, LockWait
from pgrehearse.measurement.statement.facts import MODES, Facts, Through, all_through
from pgrehearse.measurement.statement.probing import Prober, Probes
from pgrehearse.measurement.statement.relations import Catalog, Relation
from pgrehearse.measurement.statement.transactional import StatementRefused, by_name

__all__ = ["observe"]

_AE = MODES[-1]
#: What a statement's strongest mode is when the weakest held mode it conflicts with is this one. Follows from
#: PostgreSQL's table of conflicts (docs: Explicit Locking); ROW EXCLUSIVE leaves two: SHARE tells them apart.
_STRONGEST = {
    "ACCESS SHARE": "ACCESS EXCLUSIVE",
    "ROW SHARE": "EXCLUSIVE",
    "ROW EXCLUSIVE": "SHARE",
    "SHARE UPDATE EXCLUSIVE": "SHARE UPDATE EXCLUSIVE",
    "SHARE": "ROW EXCLUSIVE",
    "SHARE ROW EXCLUSIVE": "ROW EXCLUSIVE",
    "EXCLUSIVE": "ROW SHARE",
    "ACCESS EXCLUSIVE": "ACCESS SHARE",
}
_FLUSH = "SELECT pg_stat_force_next_flush()"
_FLUSHED = "SELECT relid::bigint, seq_tup_read FROM pg_stat_user_tables WHERE seq_tup_read > 0"


@dataclass
class _Seen:
    """What the attempts have shown so far."""

    locks: dict[int, str] = field(default_factory=dict)
    waits_for: set[str] = field(default_factory=set)
    probes: dict[int, dict[str, str]] = field(default_factory=dict)
    row_locks: set[int] = field(default_factory=set)
    through: list[tuple[dict[str, list[str]], dict[str, Through]]] = field(default_factory=list)


def observe(clones: Clones, statement: str, settings: Sequence[str], refused: StatementRefused) -> Facts:
    """Measure ``statement`` by its conflicts, after it was ``refused`` in a transaction."""
    catalog = refused.catalog
    measuring = _Measuring(clones, statement, settings, catalog, refused.probes)
    plain, strong = measuring.plainly()
    seen = _Seen()
    touched = measuring.touched()
    # A message names no schema: of two tables of one name it means the one that is locked.
    others = {table.name for table in catalog.tables()} - {table.name for table in touched}
    for table in touched:
        measuring.conflicts(table, seen)
    if not refused.transactional:  # else it fails, and leaves nothing behind
        measuring.snapshots(seen)
    for oid in strong:  # taken without waiting, so no conflict shows it
        seen.locks[oid] = _AE
    return Facts(
        locks=observing.named(seen.locks, catalog),
        rewrites=plain.rewrites,
        scans=tuple(name for name in plain.scans if name not in others),
        probes=_by_name(seen, catalog),
        through=all_through(seen.through),
        row_locks=tuple(sorted(catalog.relations[oid].name for oid in seen.row_locks)),
        transactional=refused.transactional,
        waits_for=tuple(sorted(seen.waits_for, key=[*MODES, "old snapshots"].index)),
        sqlstate=plain.sqlstate,
        messages=plain.messages,
        wal_bytes=plain.wal_bytes,
    )


@dataclass(frozen=True)
class _Attempt:
    """The statement under way on a clone, beside a session that holds a lock and one that probes."""

    holder: Client
    client: Client
    prober: Prober


class _Measuring:
    """Attempts to run one statement, each on a fresh clone."""

    def __init__(
        self, clones: Clones, statement: str, settings: Sequence[str], catalog: Catalog, probes: Probes
    ) -> None:
        self.clones = clones
        self.statement = statement
        self.settings = settings
        self.catalog = catalog
        self.probes = probes

    def plainly(self) -> tuple[Facts, set[int]]:
        """Run it with nobody in its way: messages, rewrites, scans, and AE locks that the WAL tells of."""
        catalog = self.catalog
        with self.clones.clone(unread=True) as clone, Client(clone.dsn) as client:
            sizes = _rows(client, catalog)
            observing.prepare(client, self.settings)
            client.rows(_FLUSH)  # what `_rows` read is no part of the statement
            read_before = dict(client.rows(_FLUSHED))
            start = wal.position(self.clones.admin)
            client.run(self.statement)
            sqlstate, messages = client.sqlstate, tuple(client.messages)
            with suppress(psycopg.Error):
                client.rows("ROLLBACK")
            written = wal.position(self.clones.admin) - start
            strong = wal.exclusive_locks(self.clones.admin, client, start) & set(catalog.relations)
            client.rows(_FLUSH)
            read = {oid: rows - read_before.get(oid, 0) for oid, rows in client.rows(_FLUSHED)}
            rewrites = catalog.rewritten(catalogs.relations(client))
            scans = observing.said_scans(client, messages, catalog, catalog.relations)
            scans |= {catalog.relations[oid].name for oid in read if 0 < sizes.get(oid, 0) <= read[oid]}
            tables = {relation.name for relation in catalog.tables()}
            # VACUUM FULL copies without counting and without a message; TRUNCATE may run in a transaction.
            scans |= tables & set(rewrites)
        facts = Facts(
            rewrites=tuple(rewrites),
            scans=tuple(sorted(scans)),
            messages=messages,
            wal_bytes=written,
            sqlstate=sqlstate,
        )
        return facts, strong

    def touched(self) -> list[Relation]:
        """Tables the statement locks at all: every other table is held, until it waits for none."""
        found: list[Relation] = []
        while True:
            free = [table for table in self.catalog.tables() if table not in found]
            if not free:
                return found
            with self.clones.clone() as clone, Client(clone.dsn) as holder, Client(clone.dsn) as client:
                holder.rows("BEGIN")
                holder.rows(f"LOCK TABLE ONLY {', ONLY '.join(table.name for table in free)} IN {_AE} MODE")
                start = wal.position(self.clones.admin)
                wait = self._start(client, holder)
                relation = self.catalog.relations.get(wait.relation or 0) if wait else None
                client.abandon()
                clone.clean = wal.position(self.clones.admin) == start
            if relation is None or relation not in free:
                return sorted(found, key=lambda table: table.oid)
            found.append(relation)

    def conflicts(self, table: Relation, seen: _Seen) -> None:
        """Hold each mode on ``table``, weakest first, until the statement must wait for the table itself.

        The modes that readers and writers hold are tried at once, on a clone each: VACUUM does not wait for
        them, but tries for seconds to get what they hold.
        """
        for modes in (MODES[:4], *([mode] for mode in MODES[4:])):
            with ExitStack() as stack:
                attempts = [(mode, self._attempt(stack, table, mode)) for mode in modes]
                for mode, attempt in attempts:
                    wait = self._stalled(attempt, table, seen)
                    if wait is not None and wait.locktype == "relation":
                        seen.locks[table.oid] = _STRONGEST[mode]
                        break
                    if wait is not None:
                        seen.waits_for.add(mode)
            if table.oid in seen.locks:
                break
        if seen.locks.get(table.oid) == "SHARE":
            with ExitStack() as stack:
                wait = self._stalled(self._attempt(stack, table, "SHARE"), table, seen)
            if wait is not None and wait.locktype == "relation":
                seen.locks[table.oid] = "SHARE ROW EXCLUSIVE"

    def snapshots(self, seen: _Seen) -> None:
        """Hold a snapshot that has touched no table: does the statement wait for it?"""
        with ExitStack() as stack:
            attempt = self._connected(stack)
            attempt.holder.rows("BEGIN ISOLATION LEVEL REPEATABLE READ")
            attempt.holder.rows("SELECT 1")
            if self._start(attempt.client, attempt.holder):
                seen.waits_for.add("old snapshots")
                self._probe(attempt, seen)
            attempt.client.abandon()

    def _attempt(self, stack: ExitStack, table: Relation, mode: str) -> _Attempt:
        """Start the statement on a fresh clone where somebody holds ``mode`` on ``table``."""
        attempt = self._connected(stack)
        attempt.holder.rows("BEGIN")
        attempt.holder.rows(f"LOCK TABLE ONLY {table.name} IN {mode} MODE")
        observing.prepare(attempt.client, self.settings)
        attempt.client.start(self.statement)
        return attempt

    def _connected(self, stack: ExitStack) -> _Attempt:
        dsn = stack.enter_context(self.clones.clone()).dsn
        holder, client, other = (stack.enter_context(Client(dsn)) for _ in range(3))
        return _Attempt(holder, client, Prober(self.clones, other, self.probes))

    def _stalled(self, attempt: _Attempt, table: Relation, seen: _Seen) -> LockWait | None:
        wait = self.clones.settle(attempt.client, {attempt.holder.pid})
        if wait is not None:
            self._probe(attempt, seen, table)
        attempt.client.abandon()
        return wait

    def _start(self, client: Client, holder: Client) -> LockWait | None:
        observing.prepare(client, self.settings)
        client.start(self.statement)
        return self.clones.settle(client, {holder.pid})

    def _probe(self, attempt: _Attempt, seen: _Seen, table: Relation | None = None) -> None:
        """Probe every table known to be touched; waits for the holder alone do not count."""
        oids = {*seen.locks, *([table.oid] if table else [])} or {one.oid for one in self.catalog.tables()}
        reached = self.catalog.reached(oids)
        probed = attempt.prober.probe(reached, attempt.client.pid, attempt.holder.pid)
        seen.row_locks |= probed.row_locks
        stopped = {
            self.catalog.relations[oid].name: [probe for probe, result in found.items() if result == "waits"]
            for oid, found in probed.results.items()
        }
        seen.through.append((stopped, by_name(probed, self.catalog)))
        for oid, results in probed.results.items():
            known = seen.probes.setdefault(oid, dict(results))
            known.update({probe: "waits" for probe, result in results.items() if result == "waits"})


def _by_name(seen: _Seen, catalog: Catalog) -> dict[str, dict[str, str]]:
    found = {
        catalog.relations[oid].name: results
        for oid, results in seen.probes.items()
        if oid in seen.locks or "waits" in results.values()
    }
    return dict(sorted(found.items()))


def _rows(client: Client, catalog: Catalog) -> dict[int, int]:
    """Rows of every table, by oid: what reading it whole means."""
    each = [f"SELECT {table.oid}::bigint, count(*) FROM ONLY {table.name}" for table in catalog.tables()]
    return dict(client.rows(" UNION ALL ".join(each))) if each else {}
