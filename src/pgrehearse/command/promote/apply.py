"""``pgrehearse promote apply``: carry out what was approved."""

from __future__ import annotations

from collections.abc import Sequence

import click

from pgrehearse.command.db.target import tell
from pgrehearse.command.db.up import done_line, patience
from pgrehearse.command.promote import shown
from pgrehearse.command.promote.common import at_environment
from pgrehearse.environments.permissions import Operation
from pgrehearse.execution.backoff import Backoff
from pgrehearse.migration.runner.runner import Done, RunnerOptions
from pgrehearse.promotion import apply as applying
from pgrehearse.promotion.gates import Answer
from pgrehearse.promotion.prepared import Prepared
from pgrehearse.text.migration_files import Migration

__all__ = ["apply"]


@click.command()
@click.argument("environment")
@patience
def apply(environment: str, lock_timeout: str, attempts: int, wait: float) -> int:
    """Apply the approved promotion to ENVIRONMENT, when every gate is green.

    Approvals, plan and gates are looked at again in the transaction that starts it. Killed at any moment, run
    it again: it goes on where it was. At the first surprise it stops, and status says why.
    """
    with at_environment(environment, "apply", Operation.PROMOTE) as found:
        promotion = applying.apply(
            found, _reporter(found, RunnerOptions(lock_timeout, Backoff(attempts), wait))
        )
    click.echo(f"promotion {promotion.id} is applied in {environment}")
    return 0


def _reporter(found: Prepared, options: RunnerOptions) -> applying.Reporter:
    def gates(answers: Sequence[Answer]) -> None:
        if all(answer.green for answer in answers):  # red ones are told with the refusal
            click.echo(shown.gate_lines(answers))

    def done(database: str, one: Done) -> None:
        click.echo(done_line(f"{database}: applied", one))

    def there(database: str, migration: Migration) -> None:
        click.echo(f"{database}: {migration.path.stem} was applied before")

    return applying.Reporter(tell, gates, done, there, options)
