"""``pgrehearse db up``: apply what is pending."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import click

from pgrehearse.command.db.target import announce, dsn_option, environment_option, find, load_migrations, tell
from pgrehearse.environments.permissions import Operation
from pgrehearse.execution.backoff import Backoff
from pgrehearse.migration.runner import versions
from pgrehearse.migration.runner.runner import DoneMigration, RunnerOptions
from pgrehearse.migration.runner.runner import up as apply
from pgrehearse.text.migration_files import Migration, statements
from pgrehearse.text.options import LONGEST, seconds

__all__ = ["done_line", "patience", "up"]


def _duration(context: click.Context, parameter: click.Parameter, value: str) -> str:
    try:
        seconds(value if re.fullmatch(r"[1-9][0-9]*[a-z]+", value) else "")
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is not a time such as 500ms or 2s; 0, for ever, would block others"
        ) from None
    return value


def _finite(context: click.Context, parameter: click.Parameter, value: float) -> float:
    if math.isnan(value):  # it is neither less nor more than any limit
        raise click.BadParameter("nan is no number of seconds")
    return value


def patience(command: Callable[..., int]) -> Callable[..., int]:
    """Options of a command that waits for locks."""
    for option in (
        click.option(
            "--wait",
            type=click.FloatRange(min=0, max=LONGEST),
            callback=_finite,
            default=60.0,
            show_default=True,
            help="Seconds to wait for another runner.",
        ),
        click.option(
            "--attempts",
            type=click.IntRange(min=1),
            default=10,
            show_default=True,
            help="Tries of a transaction that gets no lock.",
        ),
        click.option(
            "--lock-timeout",
            default="2s",
            show_default=True,
            callback=_duration,
            help="How long a transaction waits for a lock, such as 500ms or 2s.",
        ),
    ):
        command = option(command)
    return command


@click.command()
@dsn_option
@environment_option
@click.option("--to", metavar="VERSION", help="Stop after this version.")
@click.option("--dry-run", is_flag=True, help="List what would be applied; change nothing.")
@patience
def up(
    dsn: str | None,
    environment: str | None,
    to: str | None,
    dry_run: bool,
    lock_timeout: str,
    attempts: int,
    wait: float,
) -> int:
    """Apply the pending migrations in order, each recorded in the database with what it cost.

    Stopped or killed at any moment, run it again: it goes on where it was. A migration that was edited
    after it was applied is refused, and so is a connection through a pooler.
    """
    _, migrations = load_migrations()
    operation = Operation.READ if dry_run else Operation.APPLY_MIGRATIONS
    target = find(dsn, environment, operation, session=not dry_run)
    announce(target)
    if dry_run:
        return _dry_run(target.conninfo, migrations, to)
    options = RunnerOptions(lock_timeout, Backoff(attempts), wait)
    count = 0
    for done in apply(target.conninfo, migrations, to=to, options=options, tell=tell):
        click.echo(done_line("applied", done))
        count += 1
    click.echo(f"{count} applied" if count else "nothing to apply")
    return 0


def done_line(word: str, done: DoneMigration) -> str:
    """``applied NAME  12 ms``, its COMMIT included, and what was rewritten."""
    more = f", rewrote {', '.join(done.outcome.rewritten)}" if done.outcome.rewritten else ""
    return f"{word} {done.migration.path.stem}  {done.outcome.seconds * 1000:.0f} ms{more}"


def _dry_run(conninfo: str, migrations: list[Migration], to: str | None) -> int:
    states = versions.read(conninfo, migrations)
    versions.check(states)
    pending = versions.choose(states, to)
    for migration in pending:
        statements(migration, migration.up)
        click.echo(f"would apply {migration.path.stem}")
    click.echo(f"{len(pending)} to apply" if pending else "nothing to apply")
    return 0
