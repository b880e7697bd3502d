"""Facts of a statement that may run in a transaction: read inside its own, which is then rolled back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgrehearse.measurement.statement import observing, wal
from pgrehearse.measurement.statement import relations as catalogs
from pgrehearse.measurement.statement.client import Client, Clones
from pgrehearse.measurement.statement.facts import MODES, PROBES, Facts, Through
from pgrehearse.measurement.statement.probing import Probed, Prober, Probes
from pgrehearse.measurement.statement.relations import Catalog
from pgrehearse.text.statement import classify

__all__ = ["StatementRefused", "by_name", "observe", "refuses", "within"]

#: active_sql_transaction, invalid_transaction_termination: this statement wants no transaction around it.
_WANTS_NONE = ("25001", "2D000")
#: From this mode on a lock on one table may stop writers of another: a foreign key reads and writes there.
_REACHES = MODES.index("SHARE")
_COUNTERS = """
SELECT relid::bigint, seq_tup_read, n_tup_ins, n_tup_upd, n_tup_del
  FROM pg_catalog.pg_stat_xact_user_tables
 WHERE seq_tup_read + n_tup_ins + n_tup_upd + n_tup_del > 0
"""


@dataclass(frozen=True)
class StatementRefused:
    """The statement raised an error: ``transactional`` says whether it did so without refusing BEGIN.

    ``catalog`` and ``probes`` are those of the prepared database.
    """

    transactional: bool
    catalog: Catalog
    probes: Probes


def observe(clones: Clones, statement: str, settings: Sequence[str] = ()) -> Facts | StatementRefused:
    """Run ``statement`` in a transaction on a clone, observe it, try the probes, roll back.

    A statement that fails gives up its locks at once, so that nothing can be observed: Refused.
    """
    with clones.clone() as clone, Client(clone.dsn) as client, Client(clone.dsn) as other:
        catalog = catalogs.read(client)
        probes = Probes(other, catalog)
        prober = Prober(clones, other, probes)
        client.run("BEGIN")
        observing.prepare(client, settings)
        start = wal.position(clones.admin)
        facts = within(clones, client, prober, catalog, statement)
        if facts is None:
            clone.clean = wal.position(clones.admin) == start
            return StatementRefused(client.sqlstate not in _WANTS_NONE, catalog, probes)
    return facts


def refuses(client: Client) -> bool:
    """Whether the statement that ``client`` ran last failed because a transaction is open."""
    return client.sqlstate in _WANTS_NONE


def within(
    clones: Clones,
    client: Client,
    prober: Prober,
    catalog: Catalog,
    statement: str,
    rows: str | None = None,
) -> Facts | None:
    """Run ``statement`` in the open transaction of ``client`` and observe it; None: it failed.

    The transaction stays open. Locks that earlier statements of it hold in the same mode are not seen again.

    Args:
        prober: of the same database.
        catalog: as it was before the statement.
        rows: what a COPY from the client is given.
    """
    counted = _counters(client)
    earlier = observing.locks(clones.admin, client, catalog)
    start = wal.position(clones.admin)
    if client.run(statement, rows):
        return None
    every = observing.locks(clones.admin, client, catalog)
    held = {oid: mode for oid, mode in every.items() if earlier.get(oid) != mode}
    written = wal.position(clones.admin) - start
    messages = tuple(client.messages)
    read, changed = _difference(counted, _counters(client))
    after = catalogs.relations(client)
    rewritten = catalog.rewritten(after)
    scans = observing.said_scans(client, messages, catalog, every)
    probed = prober.probe(reach(catalog, held), client.pid)
    scans |= observing.scanned(client, catalog, after, read, changed)
    if classify(statement).verb == "truncate":
        scans = set()  # it says that it builds indexes: of the new, empty file
    probes, row_locks, through = shown(probed, catalog, held)
    return Facts(
        locks=observing.named(held, catalog),
        rewrites=tuple(rewritten),
        scans=tuple(sorted(scans)),
        probes=probes,
        row_locks=row_locks,
        through=through,
        messages=messages,
        wal_bytes=written,
        changed={
            catalog.relations[oid].name: counts.updated + counts.deleted
            for oid, counts in changed.items()
            if oid in catalog.relations and counts.updated + counts.deleted
        },
    )


def _counters(client: Client) -> dict[int, tuple[int, ...]]:
    return {oid: tuple(counts) for oid, *counts in client.rows(_COUNTERS)}


def _difference(
    before: dict[int, tuple[int, ...]], after: dict[int, tuple[int, ...]]
) -> tuple[dict[int, int], dict[int, observing.Changed]]:
    """Rows read by sequential scans, and rows changed, between two looks at the counters."""
    none = (0, 0, 0, 0)
    read, changed = {}, {}
    for oid, counts in after.items():
        rows, *rest = (now - then for now, then in zip(counts, before.get(oid, none), strict=True))
        read[oid] = rows
        changed[oid] = observing.Changed(*rest)
    return read, changed


def reach(catalog: Catalog, held: dict[int, str]) -> set[int]:
    """Relations to probe when ``held`` is locked."""
    strong = {oid for oid, mode in held.items() if MODES.index(mode) >= _REACHES}
    readable = {oid for oid in held if oid in catalog.relations and catalog.relations[oid].is_readable}
    return readable | catalog.reached(strong)


def shown(
    probed: Probed, catalog: Catalog, held: dict[int, str]
) -> tuple[dict[str, dict[str, str]], tuple[str, ...], dict[str, Through]]:
    """Probes, row locks and `Probed.through` by name: locked relations, and others where something waits."""
    probes = {
        catalog.relations[oid].name: results
        for oid, results in probed.results.items()
        if oid in held or "waits" in results.values()
    }
    row_locks = sorted(catalog.relations[oid].name for oid in probed.row_locks)
    return dict(sorted(probes.items())), tuple(row_locks), by_name(probed, catalog)


def by_name(probed: Probed, catalog: Catalog) -> dict[str, Through]:
    """`Probed.through` by name."""
    named = {
        catalog.relations[oid].name: Through(
            tuple(sorted(catalog.relations[part].name for part in parts)),
            tuple(probe for probe in PROBES if probe in elsewhere),
        )
        for oid, (parts, elsewhere) in probed.through.items()
    }
    return dict(sorted(named.items()))
