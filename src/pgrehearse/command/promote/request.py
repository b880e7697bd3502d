"""``pgrehearse promote request``: ask for a promotion of exactly what is pending."""

from __future__ import annotations

import click

from pgrehearse.command.promote import shown
from pgrehearse.command.promote.common import at_environment, group_option, json_option, why_option
from pgrehearse.environments.permissions import Operation
from pgrehearse.promotion.quantities import counted

__all__ = ["request"]


@click.command()
@click.argument("environment")
@group_option
@why_option("Why it is to be done")
@json_option
def request(environment: str, group: str | None, why: str, as_json: bool) -> int:
    """Request a promotion to ENVIRONMENT of exactly what is pending there now.

    One that is open and not being applied is superseded, and its approvals with it.
    """
    with at_environment(environment, "request", Operation.PROMOTE, quiet=as_json) as found:
        plan = found.pending(group)
        number = found.store.request(plan.items, [member.name for member in plan.members], why)
        wanted = found.store.rules().approvals
        if as_json:
            click.echo(shown.current_json(found.store, number))
            return 0
        if found.current is not None:
            click.echo(f"promotion {found.current.id} is superseded")
    click.echo(f"promotion {number} requested")
    click.echo(shown.plan_head(plan, found.step.before.name if found.step.before else None))
    short = plan.hash[: shown.SHORT]
    if wanted:
        click.echo(
            f"next: {counted(wanted, 'approval')}: pgrehearse promote approve {environment} --plan {short}"
        )
    else:
        click.echo(f"next: pgrehearse promote apply {environment}")
    return 0
