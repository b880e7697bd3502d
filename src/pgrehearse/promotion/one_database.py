"""A promotion is carried out in one of its databases, step by step."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg

from pgrehearse.errors import ExpectationError, PgRehearseError
from pgrehearse.migration.runner import exclusive, runner, versions
from pgrehearse.migration.runner.runner import DoneMigration, RunnerOptions
from pgrehearse.promotion.gates import GateAnswer
from pgrehearse.promotion.ledger_readers import admit
from pgrehearse.promotion.store import Store
from pgrehearse.text.migration_files import Migration

__all__ = ["PromotedDatabase", "PromotionReporter", "apply_to_database"]


@dataclass
class PromotionReporter:
    """Is told what happens; does nothing by itself.

    Attributes:
        tell: a line for people.
        gates: what the gates said, once.
        done: a migration was applied in the database of that name.
        found: a migration was there already, recorded now.
    """

    tell: Callable[[str], None] = lambda line: None
    gates: Callable[[Sequence[GateAnswer]], None] = lambda answers: None
    done: Callable[[str, DoneMigration], None] = lambda database, done: None
    found: Callable[[str, Migration], None] = lambda database, migration: None
    options: RunnerOptions = field(default_factory=RunnerOptions)


@dataclass(frozen=True)
class PromotedDatabase:
    """One database of a promotion, its ``number``-th, on a connection of `exclusive.prepare`.

    ``done``: the migrations of the plan that are recorded as done, by number.
    """

    promotion: int
    number: int
    name: str
    connection: psycopg.Connection[Any]
    conninfo: str
    done: Collection[int]


def apply_to_database(
    store: Store,
    place: PromotedDatabase,
    plan: Sequence[Migration],
    migrations: Sequence[Migration],
    readers: str,
    reporter: PromotionReporter,
) -> None:
    """Apply ``plan`` to a database, and record each step. ``migrations``: all of the project.

    What is done is decided by the ledger there, looked at under the lock of its runners, which holds it in
    the transaction of the change. A step that was done and not recorded is recorded now. Whoever has a role
    whose name begins with ``readers`` may read that ledger then. Raises as `migration.runner.runner.up` does.
    """
    known = [one for one in migrations if one.version <= plan[-1].version]
    try:
        with runner.upward(
            place.connection, place.conninfo, known, reporter.options, reporter.tell
        ) as session:
            _carry_out(store, place, plan, session, reporter)
    finally:
        with suppress(psycopg.Error):
            exclusive.reset(place.connection)  # a migration may have become somebody else
            admit(place.connection, readers)


def _carry_out(
    store: Store,
    place: PromotedDatabase,
    plan: Sequence[Migration],
    session: runner.RunnerSession,
    reporter: PromotionReporter,
) -> None:
    there = {state.version: state for state in session.states}
    todo: list[tuple[int, Migration]] = []
    for item, migration in enumerate(plan, 1):
        if there[migration.version].state == "pending":
            todo.append((item, migration))
        elif item not in place.done:
            store.step(place.promotion, place.number, item, "started")
            store.step(place.promotion, place.number, item, "done", {"found": "applied already"})
            reporter.found(place.name, migration)
    other = {one.version for one in versions.choose(session.states, None)} - {one.version for one in plan}
    if other:
        raise ExpectationError(
            f"{', '.join(there[one].label for one in sorted(other))} is pending in {place.name}, and not in"
            " the plan: somebody else migrates this database",
            next_step="look with pgrehearse db status who did what, then request the plan that is now",
        )
    applied = session.apply([migration for _, migration in todo])
    for item, _ in todo:
        store.step(place.promotion, place.number, item, "started")
        try:
            done = next(applied)
        except PgRehearseError as error:
            with suppress(PgRehearseError):
                store.step(place.promotion, place.number, item, "failed", {"error": error.message[:1000]})
            raise
        store.step(place.promotion, place.number, item, "done", _costs(done))
        reporter.done(place.name, done)


def _costs(done: DoneMigration) -> dict[str, object]:
    return {
        "milliseconds": round(done.outcome.seconds * 1000, 1),
        "wal_bytes": done.outcome.wal_bytes,
        "rewritten": list(done.outcome.rewritten),
    }
