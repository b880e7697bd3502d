"""Reading what a statement did: settings it runs under, locks, DEBUG1 messages, scans."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pgrehearse.measurement.statement.client import Client
from pgrehearse.measurement.statement.facts import MODES, strongest
from pgrehearse.measurement.statement.relations import Catalog, Relation

__all__ = ["Changed", "locks", "named", "prepare", "said_scans", "scanned", "words"]

# Parallel workers' scans are not in the leader's counters; commits must have reached the WAL when we read it.
_SETTINGS = (
    "SET max_parallel_workers_per_gather = 0",
    "SET max_parallel_maintenance_workers = 0",
    "SET synchronous_commit = on",
    "SET lock_timeout = 0",
    "SET statement_timeout = 0",
    "SET idle_in_transaction_session_timeout = 0",
    "SET client_min_messages = debug1",
)
_TABLE = re.compile(r'^(?:rewriting|verifying) table "(.+)"$')
_INDEX = re.compile(r'^building index ".+" on table "(.+)" ')
_FOREIGN_KEY = re.compile(r'^validating foreign key constraint "(.+)"$')
_OWN_LOCKS = """
SELECT locktype, coalesce(relation, objid)::bigint, mode
  FROM pg_catalog.pg_locks
 WHERE pid = %s AND granted
   AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = %s)
   AND (locktype = 'relation' OR locktype = 'object' AND classid = 'pg_catalog.pg_type'::pg_catalog.regclass)
"""
#: Locks on indexes that every reader or writer takes.
_COMMON = ("ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE")


class Changed(NamedTuple):
    """Rows of a table that a statement changed."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0


def words(mode: str) -> str:
    """A mode of pg_locks, ``ShareUpdateExclusiveLock``, in the words of the documentation."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", mode.removesuffix("Lock")).upper()


def prepare(client: Client, settings: Sequence[str]) -> None:
    """Put ``client`` into the state a statement is measured in, after the SET statements ``settings``."""
    for statement in (*settings, *_SETTINGS):
        client.run(statement)


def locks(admin: Client, client: Client, catalog: Catalog) -> dict[int, str]:
    """The strongest mode ``client``'s transaction holds on each relation and type of ``catalog``, by oid."""
    held: dict[int, list[str]] = {}
    for kind, oid, mode in admin.rows(_OWN_LOCKS, (client.pid, client.connection.info.dbname)):
        known = oid in catalog.relations if kind == "relation" else oid in catalog.types
        if known and words(mode) in MODES:
            held.setdefault(oid, []).append(words(mode))
    return {oid: strongest(modes) for oid, modes in held.items()}


def named(held: dict[int, str], catalog: Catalog) -> dict[str, str]:
    """``held`` by name, without what says nothing: weak locks on indexes and types."""
    found = {}
    for oid, mode in held.items():
        relation = catalog.relations.get(oid)
        if relation is None:
            if mode not in _COMMON:
                found[f"type {catalog.types[oid]}"] = mode
        elif not (relation.is_index and mode in _COMMON):
            found[relation.name] = mode
    return dict(sorted(found.items()))


def said_scans(client: Client, messages: Iterable[str], catalog: Catalog, held: Iterable[int]) -> set[str]:
    """Relations that were read whole according to ``messages``, the DEBUG1 lines of a statement.

    Messages name a relation without its schema: it is one of ``held``, those the statement locked. Where
    ``held`` has several of that name, all of them.
    """
    touched = {oid for oid in held if oid in catalog.relations}
    found: set[int] = set()
    for message in messages:
        if match := _TABLE.match(message) or _INDEX.match(message):
            found |= {oid for oid in touched if catalog.relations[oid].relname == match[1]}
        elif match := _FOREIGN_KEY.match(message):
            rows = client.rows(
                "SELECT conrelid::bigint FROM pg_catalog.pg_constraint WHERE conname = %s", (match[1],)
            )
            found |= {oid for (oid,) in rows if oid in touched}
    return {catalog.relations[oid].name for oid in found}


def scanned(
    client: Client,
    catalog: Catalog,
    after: dict[int, Relation],
    read: dict[int, int],
    changed: dict[int, Changed],
) -> set[str]:
    """Relations of ``read`` (oid -> rows read by sequential scans) whose every row was read.

    Asked after the statement, in its transaction: the rows there were before are those there are, without
    those it has put in, and with those it took out.
    """
    found = set()
    for oid, rows in sorted(read.items()):
        relation, now = catalog.relations.get(oid), after.get(oid)
        if relation is None or rows <= 0:
            continue
        if now is None or not now.populated:  # it is gone, or holds nothing yet
            found |= {relation.name} if now is None else set()
            continue
        [(count,)] = client.rows(f"SELECT count(*) FROM ONLY {now.name}")
        counts = changed.get(oid, Changed())
        if rows >= count - counts.inserted + counts.deleted:
            found.add(relation.name)
    return found
