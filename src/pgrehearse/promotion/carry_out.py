"""A promotion is carried out in one of its databases, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

from pgrehearse.connections import connect
from pgrehearse.errors import ExpectationError, PgRehearseError
from pgrehearse.migration.runner import runner
from pgrehearse.migration.runner.runner import Done, RunnerOptions
from pgrehearse.promotion.gates import Answer
from pgrehearse.promotion.ledger_readers import admit
from pgrehearse.promotion.plan import Member
from pgrehearse.promotion.store import Store
from pgrehearse.text.migration_files import Migration

__all__ = ["Reporter", "apply_to_database"]


@dataclass
class Reporter:
    """Is told what happens; does nothing by itself.

    Attributes:
        tell: a line for people.
        gates: what the gates said, once.
        done: a migration was applied in the database of that name.
        found: a migration was there already, recorded now.
    """

    tell: Callable[[str], None] = lambda line: None
    gates: Callable[[Sequence[Answer]], None] = lambda answers: None
    done: Callable[[str, Done], None] = lambda database, done: None
    found: Callable[[str, Migration], None] = lambda database, migration: None
    options: RunnerOptions = field(default_factory=RunnerOptions)


def apply_to_database(
    store: Store,
    promotion: int,
    number: int,
    member: Member,
    plan: Sequence[Migration],
    migrations: Sequence[Migration],
    reporter: Reporter,
) -> None:
    """Apply ``plan`` to one of its databases, its ``number``-th, and record each step.

    What is done is decided by the ledger of that database, which holds it in the transaction of the change. A
    step that was done and not recorded is recorded now. Raises as `migration.runner.runner.up` does.
    """
    try:
        _carry_out(store, promotion, number, member, plan, migrations, reporter)
    finally:
        with suppress(psycopg.Error), connect(member.target.conninfo) as connection:
            admit(connection, store.rules().prefix)


def _carry_out(
    store: Store,
    promotion: int,
    number: int,
    member: Member,
    plan: Sequence[Migration],
    migrations: Sequence[Migration],
    reporter: Reporter,
) -> None:
    recorded = {step.item for step in store.steps(promotion, number) if step.outcome == "done"}
    todo: list[tuple[int, Migration]] = []
    for item, migration in enumerate(plan, 1):
        if not member.has(migration):
            todo.append((item, migration))
        elif item not in recorded:
            store.step(promotion, number, item, "started")
            store.step(promotion, number, item, "done", {"found": "applied already"})
            reporter.found(member.name, migration)
    if not todo:
        return
    known = [one for one in migrations if one.version <= plan[-1].version]
    applied = runner.up(member.target.conninfo, known, options=reporter.options, tell=reporter.tell)
    for item, migration in todo:
        store.step(promotion, number, item, "started")
        try:
            done = next(applied, None)
        except PgRehearseError as error:
            with suppress(PgRehearseError):
                store.step(promotion, number, item, "failed", {"error": error.message[:1000]})
            raise
        if done is None or done.migration.version != migration.version:
            other = done.migration.path.stem if done else "nothing"
            raise ExpectationError(
                f"{migration.path.stem} had to be applied in {member.name}, and {other} was: somebody else"
                " migrates this database",
                next_step="look with pgrehearse db status who did what, then run promote apply again",
            )
        store.step(promotion, number, item, "done", _costs(done))
        reporter.done(member.name, done)
    next(applied, None)  # to its end, where it gives the lock of this database back


def _costs(done: Done) -> dict[str, object]:
    return {
        "milliseconds": round(done.outcome.seconds * 1000, 1),
        "wal_bytes": done.outcome.wal_bytes,
        "rewritten": list(done.outcome.rewritten),
    }
