"""What the ``promote`` commands show of plans, gates and promotions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import click

from pgrehearse.command import terminal
from pgrehearse.command.terminal import Column
from pgrehearse.migration.timing.costs import Timing
from pgrehearse.promotion.gates import GateAnswer
from pgrehearse.promotion.measured import Measured
from pgrehearse.promotion.plan import Plan
from pgrehearse.promotion.quantities import counted, told
from pgrehearse.promotion.store import Approval, Promotion, StepRecord, Store
from pgrehearse.text.characters import visible

__all__ = [
    "SHORT",
    "current_json",
    "gate_lines",
    "gates_json",
    "migration_lines",
    "migrations_json",
    "plan_head",
    "promotion_json",
    "standing",
    "told_promotion",
]

#: Digits of a plan's hash that are shown and asked for.
SHORT = 12
_GATES = (Column(""), Column("gate"), Column("evidence"))
_COLORS = {"green": "green", "red": "red"}
_LONG = 76  # characters of a statement


def plan_head(plan: Plan, before: str | None) -> str:
    """The plan in two lines."""
    names = [member.name for member in plan.members]
    where = visible(names[0]) if len(names) == 1 else f"{len(names)} databases"
    after = f", after {before}" if before else ""
    many = counted(len(plan.migrations), "migration")
    return f"{plan.environment}: {many} for {where}{after}\nplan {plan.hash[:SHORT]}"


def migration_lines(
    plan: Plan, measured: Measured | None, costs: dict[str, Timing], before: str | None, every: bool
) -> Iterator[str]:
    """Each migration, what it cost in the environment before, and which statement keeps whom waiting.

    ``every``: statements that keep nobody waiting as well.
    """
    for migration in plan.migrations:
        cost = costs.get(migration.version)
        said = f"  {cost.milliseconds:,.0f} ms, {_size(cost.wal_bytes)} of WAL in {before}" if cost else ""
        yield f"  {migration.path.stem}{said}"
        for one in measured.statements if measured else ():
            if one.migration == migration.path.stem and (every or one.waits or one.rewrites):
                text = one.statement if len(one.statement) <= _LONG else one.statement[: _LONG - 4] + " ..."
                yield f"    line {one.line}: {visible(text)}"
                yield from (f"      rewrites {name}" for name in one.rewrites)
                yield from (f"      {waits}" for waits in one.waits or ("nobody waits",))


def gate_lines(answers: Sequence[GateAnswer]) -> str:
    """A line for each gate, with what to do about a red one below it."""
    rows = []
    for answer in answers:
        below = f"\nnext: {answer.next_step}" if answer.next_step and not answer.green else ""
        rows.append(("green" if answer.green else "red", answer.gate, answer.evidence + below))
    return terminal.table(_GATES, rows, within=terminal.width(), colors=_COLORS)


def standing(
    promotion: Promotion, approvals: Sequence[Approval], wanted: int, steps: Sequence[StepRecord]
) -> str:
    """Where a promotion stands, and for how long, in a sentence."""
    age = told(promotion.now - promotion.changed_at)
    done = sum(step.outcome == "done" for step in steps)
    share = f"{done} of {len(steps)} steps done"
    counted = sum(not one.problem for one in approvals)
    said = {
        "requested": f"requested, {counted} of {wanted} approvals for {age}",
        "approved": f"approved, not applied for {age}",
        "applying": f"being applied for {age}, {share}"
        if promotion.at_work
        else f"begun and not finished, nobody at work for {age}, {share}",
        "stopped": f"stopped for {age}, {share}",
        "applied": f"applied {age} ago by {promotion.changed_by}",
        "canceled": f"canceled {age} ago by {promotion.changed_by}",
        "superseded": f"superseded {age} ago",
    }
    return visible(said.get(promotion.state, promotion.state))


def migrations_json(plan: Plan, measured: Measured | None, costs: dict[str, Timing]) -> list[dict[str, Any]]:
    """The migrations of a plan with what was measured; None where nothing was."""
    found = []
    for migration in plan.migrations:
        cost = costs.get(migration.version)
        found.append(
            {
                "version": migration.version,
                "name": migration.path.stem,
                "sha256": migration.sha256,
                "before": cost
                and {
                    "milliseconds": round(cost.milliseconds, 1),
                    "wal_bytes": cost.wal_bytes,
                    "rewritten": list(cost.rewritten),
                },
                "statements": [
                    {
                        "line": one.line,
                        "statement": one.statement,
                        "locks": one.locks,
                        "rewrites": list(one.rewrites),
                        "waits": list(one.waits),
                    }
                    for one in (measured.statements if measured else ())
                    if one.migration == migration.path.stem
                ],
            }
        )
    return found


def gates_json(answers: Sequence[GateAnswer]) -> list[dict[str, Any]]:
    """The gates as PostgreSQL keeps them."""
    return [answer.to_json() for answer in answers]


def promotion_json(
    promotion: Promotion, approvals: Sequence[Approval], steps: Sequence[StepRecord]
) -> dict[str, Any]:
    """One promotion with its approvals and steps."""
    return {
        "id": promotion.id,
        "state": promotion.state,
        "plan": promotion.plan_hash,
        "requested_by": promotion.requested_by,
        "requested_at": promotion.requested_at.isoformat(),
        "why": promotion.why,
        "changed_by": promotion.changed_by,
        "changed_at": promotion.changed_at.isoformat(),
        "seconds_in_state": round((promotion.now - promotion.changed_at).total_seconds(), 1),
        "said": promotion.said,
        "at_work": promotion.at_work,
        "approvals": [
            {
                "by": one.approved_by,
                "at": one.at.isoformat(),
                "problem": one.problem,
                "membership": one.membership,
            }
            for one in approvals
        ],
        "steps": [
            {
                "database": one.database,
                "migration": one.name,
                "outcome": one.outcome,
                "at": one.changed_at and one.changed_at.isoformat(),
                "detail": one.detail,
            }
            for one in steps
        ],
    }


def current_json(store: Store, promotion: int) -> str:
    """The promotion of that number as it is now."""
    found = next(one for one in store.promotions() if one.id == promotion)
    return json.dumps(promotion_json(found, store.approvals(promotion), store.steps(promotion)), indent=2)


def told_promotion(promotion: Promotion, said: str) -> None:
    """A promotion in a few lines for people."""
    click.echo(f"  promotion {promotion.id}, plan {promotion.plan_hash[:SHORT]}: {said}")
    why = f": {visible(promotion.why)}" if promotion.why else ""
    click.echo(f"    requested by {visible(promotion.requested_by)}{why}")
    if promotion.said:
        click.echo(f"    {visible(promotion.said)}")


def _size(count: int) -> str:
    return f"{count / 1024:,.0f} kB" if count >= 1024 else f"{count} bytes"
