"""``pgrehearse promote approve``: one person approves one plan."""

from __future__ import annotations

import click

from pgrehearse.command.promote import shown
from pgrehearse.command.promote.common import at_environment, digits, json_option
from pgrehearse.environments.permissions import Operation
from pgrehearse.errors import SetupError

__all__ = ["approve"]


@click.command()
@click.argument("environment")
@click.option(
    "--plan", "plan_", required=True, metavar="HASH", callback=digits, help="The plan that you reviewed."
)
@json_option
def approve(environment: str, plan_: str, as_json: bool) -> int:
    """Approve the plan that is requested for ENVIRONMENT, as the role you connect with.

    The hash says which plan you mean: if another one was requested meanwhile, nothing is approved.
    """
    with at_environment(environment, "approve", Operation.PROMOTE, quiet=as_json) as found:
        open_one = found.current
        if open_one is None:
            raise SetupError(
                f"nothing is requested for {environment}",
                next_step="pgrehearse promote status shows what was",
            )
        if not open_one.plan_hash.startswith(plan_):
            raise SetupError(
                f"refused: the plan that is requested is {open_one.plan_hash[: shown.SHORT]}, not"
                f" {plan_[: shown.SHORT]}",
                next_step=f"look at it: pgrehearse promote plan {environment}",
            )
        state = found.store.approve(open_one.id, open_one.plan_hash)
        if as_json:
            click.echo(shown.current_json(found.store, open_one.id))
            return 0
        given = sum(not one.problem for one in found.store.approvals(open_one.id))
        wanted = found.store.rules().approvals
    click.echo(f"promotion {open_one.id} approved by {found.home.user}: {given} of {wanted}; it is {state}")
    return 0
