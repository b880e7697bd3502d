"""The audit trail, verified by whoever may read it, without trusting the database that keeps it.

Each entry's hash covers the hash before it. A superuser can pass every trigger and change an entry, but not
without changing every hash after it; and what the entries say must be what the tables say.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import psycopg

from pgrehearse.errors import SetupError, first_line

__all__ = ["Trail", "read"]

_SKIPPED = "SELECT promotion, target FROM pgrehearse_promotion.visit WHERE state = 'skipped'"
#: What changes the state of no promotion.
_OF_WAVES = ("roll out", "wave", "visit failed")
_START = "0" * 64
_ENTRIES = "SELECT seq, entry, hash FROM pgrehearse_promotion.audit ORDER BY seq"
_STATES = "SELECT id, state, plan_hash FROM pgrehearse_promotion.promotion"
_APPROVALS = "SELECT promotion, approved_by, plan_hash FROM pgrehearse_promotion.approval"
_STEPS = "SELECT promotion, target, item, outcome FROM pgrehearse_promotion.step"


@dataclass(frozen=True)
class Trail:
    """What was read.

    Attributes:
        entries: each as it was written.
        head: the last hash; who knows an older one can ask whether it is still there.
        problems: in sentences; empty when chain and tables are what they must be.
        hashes: of all entries.
    """

    entries: tuple[dict[str, Any], ...]
    head: str
    problems: tuple[str, ...]
    hashes: frozenset[str] = frozenset()


def read(connection: psycopg.Connection[Any]) -> Trail:
    """Read the trail of a database in one snapshot and verify it. Raises SetupError."""
    try:
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            rows = connection.execute(_ENTRIES).fetchall()
            states = connection.execute(_STATES).fetchall()
            approvals = connection.execute(_APPROVALS).fetchall()
            steps = connection.execute(_STEPS).fetchall()
            skipped = connection.execute(_SKIPPED).fetchall()
    except psycopg.Error as error:
        raise SetupError(
            f"the audit trail cannot be read: {first_line(error)}",
            next_step="as a requester, approver, runner or viewer of this environment",
        ) from None
    problems, entries, before = [], [], _START
    for number, (seq, entry, hash_) in enumerate(rows, 1):
        if seq != number:
            problems.append(f"entry {number} is missing: entry {seq} stands in its place")
            break
        if hashlib.sha256(f"{before}\n{entry}".encode()).hexdigest() != hash_:
            problems.append(f"entry {seq} is not what was written: its hash does not follow from it")
            break
        found = _decoded(entry)
        if found is None or found.get("seq") != seq:
            problems.append(f"entry {seq} is no entry: it was not written by promote")
            break
        entries.append(found)
        before = hash_
    else:
        problems += _against_tables(entries, states, approvals, steps, skipped)
    return Trail(tuple(entries), before, tuple(problems), frozenset(hash_ for _, _, hash_ in rows))


def _decoded(entry: str) -> dict[str, Any] | None:
    try:
        found = json.loads(entry)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _against_tables(
    entries: list[dict[str, Any]],
    states: list[tuple[Any, ...]],
    approvals: list[tuple[Any, ...]],
    steps: list[tuple[Any, ...]],
    skipped: list[tuple[Any, ...]],
) -> list[str]:
    """What the tables say, and the trail does not, or otherwise."""
    said_state: dict[int, tuple[str, str]] = {}
    said_approvals, said_steps, said_skipped = set(), {}, set()
    for entry in entries:
        about, detail = entry["promotion"], entry["detail"] or {}
        if entry["action"] == "approval":
            said_approvals.add((about, entry["who"], detail["plan"]))
        elif entry["action"].startswith("step "):
            said_steps[about, detail["database"], detail["item"]] = entry["action"].removeprefix("step ")
        elif entry["action"] == "skip":
            said_skipped.add((about, detail["database"]))
        elif entry["action"] not in _OF_WAVES and about is not None:
            said_state[about] = (detail["state"], detail["plan"])
    problems = []
    for id_, state, plan in sorted(states):
        if said_state.get(id_) != (state, plan):
            told = said_state.get(id_, ("unknown", ""))[0]
            problems.append(f"promotion {id_} is {state} in its table, and {told} in the trail")
    there = {id_ for id_, _, _ in states}
    problems += [f"promotion {id_} is gone from its table" for id_ in sorted(set(said_state) - there)]
    for about, who, plan in sorted(set(approvals) ^ said_approvals):
        where = "in its table only" if (about, who, plan) in set(approvals) else "in the trail only"
        problems.append(f"an approval of promotion {about} by {who} is {where}")
    stored = {(about, target, item): outcome for about, target, item, outcome in steps}
    for key in sorted(set(stored) | set(said_steps)):
        if stored.get(key) != said_steps.get(key):
            about, target, item = key
            problems.append(
                f"step {item} of database {target} of promotion {about} is {stored.get(key, 'gone')} in its"
                f" table, and {said_steps.get(key, 'unknown')} in the trail"
            )
    for about, target in sorted(set(skipped) ^ said_skipped):
        where = "in its table only" if (about, target) in set(skipped) else "in the trail only"
        problems.append(f"that database {target} of promotion {about} is skipped stands {where}")
    return problems
