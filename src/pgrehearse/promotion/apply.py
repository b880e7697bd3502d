"""A promotion is carried out: started by PostgreSQL's leave, in its database, or in waves over several."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import psycopg

from pgrehearse.environments.rollouts import Rollout
from pgrehearse.errors import ExpectationError, PgRehearseError, SetupError
from pgrehearse.execution.exclusion import acquire
from pgrehearse.migration.runner import exclusive
from pgrehearse.promotion.gate_table import prefix
from pgrehearse.promotion.gates import answers
from pgrehearse.promotion.one_database import PromotedDatabase, PromotionReporter, apply_to_database
from pgrehearse.promotion.plan import Plan
from pgrehearse.promotion.prepared import Prepared
from pgrehearse.promotion.rollout import roll_out
from pgrehearse.promotion.store import LOCK, Promotion

__all__ = ["apply"]


def apply(
    prepared: Prepared, reporter: PromotionReporter, sizes: Mapping[str, int] | None = None
) -> Promotion:
    """Apply the promotion that is open; again after an interruption, it goes on where it was.

    ``sizes``: of waves over a group, where they are not those of the file; see `rollouts.Rollout`.

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
        if len(plan.databases) > 1:
            roll_out(prepared, promotion.id, _rollout(prepared, plan, sizes), reporter)
        else:
            _one(prepared, promotion.id, plan, reporter)
    except BaseException as error:
        with suppress(PgRehearseError, psycopg.Error):  # else it is seen: applying, and nobody at work
            store.stop(promotion.id, _reason(error))
        raise
    store.finish(promotion.id)
    return promotion


def _one(prepared: Prepared, promotion: int, plan: Plan, reporter: PromotionReporter) -> None:
    """To the one database of ``plan``."""
    (member,) = plan.members
    done = {step.item for step in prepared.store.steps(promotion) if step.outcome == "done"}
    with exclusive.connect(member.target.conninfo) as connection:
        place = PromotedDatabase(promotion, 1, member.name, connection, member.target.conninfo, done)
        readers = prefix(prepared.step.environment)
        apply_to_database(prepared.store, place, plan.migrations, prepared.migrations, readers, reporter)


def _rollout(prepared: Prepared, plan: Plan, sizes: Mapping[str, int] | None) -> Rollout:
    group = prepared.group_of(plan)
    declared = prepared.step.environment.rollouts.get(group or "", Rollout())
    return replace(declared, **dict[str, Any](sizes or {}))


def _reason(error: BaseException) -> str:
    return error.message if isinstance(error, PgRehearseError) else f"interrupted ({type(error).__name__})"
