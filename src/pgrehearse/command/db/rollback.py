"""``pgrehearse db rollback``: undo migrations, where that can do no harm."""

from __future__ import annotations

import click

from pgrehearse.command.db.target import announce, dsn_option, environment_option, find, load_migrations, tell
from pgrehearse.command.db.up import done_line, patience
from pgrehearse.environments.permissions import Operation
from pgrehearse.execution.backoff import Backoff
from pgrehearse.migration.runner.runner import RunnerOptions, down

__all__ = ["rollback"]


@click.command()
@dsn_option
@environment_option
@click.option("--to", metavar="VERSION", help="Undo everything after this version; 0 undoes all.")
@click.option("--steps", type=click.IntRange(min=1), help="How many to undo; one without this and --to.")
@patience
def rollback(
    dsn: str | None,
    environment: str | None,
    to: str | None,
    steps: int | None,
    lock_timeout: str,
    attempts: int,
    wait: float,
) -> int:
    """Undo the last migrations by their down parts, in a database for development or tests only.

    What staging and production need is a change that is tested like every other: a new migration.
    """
    if to is not None and steps is not None:
        raise click.UsageError("--to and --steps both say how far: give one")
    _, migrations = load_migrations()
    target = find(dsn, environment, Operation.UNDO_MIGRATIONS)
    announce(target)
    options = RunnerOptions(lock_timeout, Backoff(attempts), wait)
    count = 0
    for done in down(target.conninfo, migrations, to=to, steps=steps or 1, options=options, tell=tell):
        click.echo(done_line("undid", done))
        count += 1
    click.echo(f"{count} undone" if count else "nothing to undo")
    return 0
