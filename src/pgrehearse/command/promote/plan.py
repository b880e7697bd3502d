"""``pgrehearse promote plan``: what a promotion would do, and what stands against it."""

from __future__ import annotations

import json

import click

from pgrehearse.command.db.target import tell
from pgrehearse.command.promote import shown
from pgrehearse.command.promote.common import at_environment, group_option, json_option
from pgrehearse.environments.permissions import Operation
from pgrehearse.errors import PgRehearseError
from pgrehearse.migration.timing import costs as ledgers
from pgrehearse.migration.timing.costs import Timing
from pgrehearse.promotion.gates import GateQuestion, answers
from pgrehearse.promotion.measured import Measured

__all__ = ["plan"]


@click.command()
@click.argument("environment")
@group_option
@click.option("--statements", is_flag=True, help="Also statements that keep nobody waiting.")
@click.option("--check", is_flag=True, help="Exit status 1 when a gate is red.")
@json_option
def plan(environment: str, group: str | None, statements: bool, check: bool, as_json: bool) -> int:
    """Show the plan for ENVIRONMENT: migrations, what they cost and whom they stop, and every gate.

    The plan is that of the promotion that is open, or else of all that is pending. Nothing is changed.
    """
    with at_environment(environment, "plan", Operation.READ, quiet=as_json) as found:
        if found.current is not None and group is None:
            chosen = found.requested(found.current)
            group = found.group_of(chosen)
        else:
            chosen = found.pending(group)
        question = found.question(chosen, group, tell)
        said = answers(question)
        measured, costs = _measured(question), _costs(question)
    before = found.step.before.name if found.step.before else None
    if as_json:
        value = {
            "environment": environment,
            "plan": chosen.hash,
            "databases": [member.name for member in chosen.members],
            "promotion": found.current and found.current.id,
            "state": found.current and found.current.state,
            "migrations": shown.migrations_json(chosen, measured, costs),
            "gates": shown.gates_json(said),
        }
        click.echo(json.dumps(value, indent=2))
    else:
        click.echo(shown.plan_head(chosen, before))
        for line in shown.migration_lines(chosen, measured, costs, before, statements):
            click.echo(line)
        click.echo(shown.gate_lines(said))
    return 1 if check and not all(answer.green for answer in said) else 0


def _measured(question: GateQuestion) -> Measured | None:
    """The facts, when they can be had; that they cannot is what a gate says."""
    try:
        return question.measured
    except PgRehearseError:
        return None


def _costs(question: GateQuestion) -> dict[str, Timing]:
    """What each migration cost in the environment before, by version; the slowest of several databases."""
    found: dict[str, Timing] = {}
    for target in question.before:
        for timing in ledgers.read(target.conninfo):
            known = found.get(timing.version)
            if timing.costs and (known is None or timing.milliseconds > known.milliseconds):
                found[timing.version] = timing
    return found
