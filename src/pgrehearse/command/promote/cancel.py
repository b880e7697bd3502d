"""``pgrehearse promote cancel``: give a promotion up."""

from __future__ import annotations

import click

from pgrehearse.command.promote.common import at_environment, why_option
from pgrehearse.environments.permissions import Operation
from pgrehearse.errors import SetupError

__all__ = ["cancel"]


@click.command()
@click.argument("environment")
@why_option("Why it is given up", needed=True)
def cancel(environment: str, why: str) -> int:
    """Give up the promotion that is open for ENVIRONMENT. What is applied stays applied."""
    with at_environment(environment, "cancel", Operation.PROMOTE) as found:
        if found.current is None:
            raise SetupError(
                f"nothing is open for {environment}", next_step="pgrehearse promote status shows what was"
            )
        found.store.cancel(found.current.id, why)
    click.echo(f"promotion {found.current.id} is canceled")
    return 0
