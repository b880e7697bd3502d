"""``pgrehearse promote cancel``: give a promotion up."""

from __future__ import annotations

import click

from pgrehearse.command.promote import shown
from pgrehearse.command.promote.common import at_environment, json_option, why_option
from pgrehearse.environments.permissions import Operation
from pgrehearse.errors import SetupError

__all__ = ["cancel"]


@click.command()
@click.argument("environment")
@why_option("Why it is given up", needed=True)
@json_option
def cancel(environment: str, why: str, as_json: bool) -> int:
    """Give up the promotion that is open for ENVIRONMENT. What is applied stays applied."""
    with at_environment(environment, "cancel", Operation.PROMOTE, quiet=as_json) as found:
        if found.current is None:
            raise SetupError(
                f"nothing is open for {environment}", next_step="pgrehearse promote status shows what was"
            )
        found.store.cancel(found.current.id, why)
        if as_json:
            click.echo(shown.current_json(found.store, found.current.id))
            return 0
    click.echo(f"promotion {found.current.id} is canceled")
    return 0
