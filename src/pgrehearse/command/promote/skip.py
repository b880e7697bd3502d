"""``pgrehearse promote skip``: leave a database of a group out."""

from __future__ import annotations

import click

from pgrehearse.command.promote.common import at_environment, why_option
from pgrehearse.environments.permissions import Operation
from pgrehearse.errors import SetupError
from pgrehearse.promotion.visits import Visits

__all__ = ["skip"]


@click.command()
@click.argument("environment")
@click.argument("database")
@why_option("Why it is left out", needed=True)
def skip(environment: str, database: str, why: str) -> int:
    """Leave DATABASE out of the promotion that is open for ENVIRONMENT, so that the others can go on.

    It is not done by that: it stays in the account as skipped, and what it lacks is pending there.
    """
    with at_environment(environment, "skip", Operation.PROMOTE) as found:
        if found.current is None:
            raise SetupError(
                f"nothing is open for {environment}", next_step="pgrehearse promote status shows what was"
            )
        visits = Visits(found.store.connection)
        number = next((one.number for one in visits.all(found.current.id) if one.database == database), None)
        if number is None:
            raise SetupError(
                f"promotion {found.current.id} is not for a database {database!r}",
                next_step=f"pgrehearse promote status {environment} lists them",
            )
        visits.skip(found.current.id, number, why)
    click.echo(f"{database} is skipped in promotion {found.current.id}")
    return 0
