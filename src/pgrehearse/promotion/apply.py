"""A promotion is carried out: started by PostgreSQL's leave, then database by database, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

from pgrehearse.connections import connect
from pgrehearse.errors import ExpectationError, PgRehearseError, SetupError
from pgrehearse.execution.exclusion import acquire
from pgrehearse.migration.runner import runner
from pgrehearse.migration.runner.runner import Done, RunnerOptions
from pgrehearse.promotion.gates import Answer, answers
from pgrehearse.promotion.ledger_readers import admit
from pgrehearse.promotion.plan import Member, Plan
from pgrehearse.promotion.prepared import Prepared
from pgrehearse.promotion.store import LOCK, Promotion, Store
from pgrehearse.text.migration_files import Migration

__all__ = ["Reporter", "apply", "apply_to_database"]


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


def apply(prepared: Prepared, reporter: Reporter) -> Promotion:
    """Apply the promotion that is open; again after an interruption, it goes on where it was.

    Raises:
        ExpectationError: a gate is red, the files changed, or a statement failed; it is stopped then.
        SetupError: nothing is open, somebody else applies it, or PostgreSQL refuses.
    """
    name = prepared.step.environment.name
    store = prepared.store
    acquire(
        store.connection,
        LOCK,
        "apply",
        reporter.options.wait,
        reporter.tell,
        f"wait for its end; pgrehearse promote status {name} shows how far it is",
    )
    promotion = store.current()  # again: what is open may have changed while we waited
    if promotion is None:
        raise SetupError(
            f"nothing is requested for {name}", next_step=f"pgrehearse promote request {name}, as a requester"
        )
    plan = prepared.requested(promotion)
    question = prepared.question(plan, prepared.group_of(plan), reporter.tell)
    question.promotion = promotion
    said = answers(question)
    reporter.gates(said)
    red = [answer.finding for answer in said if not answer.green]
    if red:
        raise ExpectationError(
            f"refused: {len(red)} of {len(said)} gates are red; nothing was changed",
            next_step="see to each; a gate that cannot be answered is red too",
            findings=red,
        )
    store.start(promotion.id, plan.hash, [answer.to_json() for answer in said])
    try:
        for number, member in enumerate(plan.members, 1):
            apply_to_database(store, promotion.id, number, member, plan, prepared.migrations, reporter)
    except BaseException as error:
        with suppress(PgRehearseError, psycopg.Error):  # else it is seen: applying, and nobody at work
            store.stop(promotion.id, _reason(error))
        raise
    store.finish(promotion.id)
    return promotion


def apply_to_database(
    store: Store,
    promotion: int,
    number: int,
    member: Member,
    plan: Plan,
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
    plan: Plan,
    migrations: Sequence[Migration],
    reporter: Reporter,
) -> None:
    recorded = {
        step.item for step in store.steps(promotion) if step.target == number and step.outcome == "done"
    }
    todo: list[tuple[int, Migration]] = []
    for item, migration in enumerate(plan.migrations, 1):
        if not member.has(migration):
            todo.append((item, migration))
        elif item not in recorded:
            store.step(promotion, number, item, "started")
            store.step(promotion, number, item, "done", {"found": "applied already"})
            reporter.found(member.name, migration)
    if not todo:
        return
    known = [one for one in migrations if one.version <= plan.migrations[-1].version]
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


def _reason(error: BaseException) -> str:
    return error.message if isinstance(error, PgRehearseError) else f"interrupted ({type(error).__name__})"
