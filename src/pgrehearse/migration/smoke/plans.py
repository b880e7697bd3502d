"""Whether a query uses an index: what the planner chooses, and what it could choose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from pgrehearse.migration.smoke.objects import Object

__all__ = ["Used", "used_indexes"]

#: The index itself, and of a partitioned one those of its partitions.
_NAMES = """
SELECT c.relname FROM pg_partition_tree(%(oid)s) AS p JOIN pg_class AS c ON c.oid = p.relid
UNION SELECT relname FROM pg_class WHERE oid = %(oid)s
"""
_OTHERS = ("enable_seqscan", "enable_sort")


@dataclass(frozen=True)
class Used:
    """``chosen``: with the planner's own choice. ``possible``: also when a scan of the table costs too much.

    ``plan`` is the chosen one in a few words.
    """

    chosen: bool
    possible: bool
    plan: str


def used_indexes(connection: psycopg.Connection[Any], sql: str, index: Object) -> Used:
    """Ask for plans of ``sql``, which is not executed. Call it inside a transaction. Raises psycopg.Error."""
    names = {row[0] for row in connection.execute(_NAMES, {"oid": index.oid})}
    plan = _plan(connection, sql)
    chosen = any(node.get("Index Name") in names for node in _nodes(plan))
    possible = chosen
    if not chosen:
        for setting in _OTHERS:
            connection.execute("SELECT set_config(%s, 'off', true)", [setting])
        possible = any(node.get("Index Name") in names for node in _nodes(_plan(connection, sql)))
    return Used(chosen, possible, ", ".join(_words(plan)))


def _plan(connection: psycopg.Connection[Any], sql: str) -> dict[str, Any]:
    row = connection.execute(f"EXPLAIN (FORMAT JSON) {sql}".encode()).fetchone()
    assert row is not None
    plan: dict[str, Any] = row[0][0]["Plan"]
    return plan


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


def _words(plan: dict[str, Any]) -> Iterator[str]:
    for node in _nodes(plan):
        on = node.get("Index Name") or node.get("Relation Name")
        if on:
            yield f"{node['Node Type']} on {on}"
