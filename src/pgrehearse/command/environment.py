"""``pgrehearse environment``: say which environment a database is, and see what it says."""

from __future__ import annotations

import os

import click

from pgrehearse.command.db.target import dsn_option, dsn_or_url
from pgrehearse.environments import marks
from pgrehearse.environments.names import ENVIRONMENTS, protection
from pgrehearse.environments.permissions import Operation, demand
from pgrehearse.environments.target import open_target, reached
from pgrehearse.errors import SetupError
from pgrehearse.promotion.asking_shell import asking_shell

__all__ = ["environment"]


@click.group()
def environment() -> None:
    """Say which environment a database is, and see what it says.

    The database is --dsn, or what libpq's environment names, or DATABASE_URL.
    """


@environment.command("set")
@click.argument("name", type=click.Choice(ENVIRONMENTS))
@dsn_option
@click.option(
    "--replace", metavar="NAME", help="What it is marked now; needed when the new name is less protected."
)
def set_(name: str, dsn: str | None, replace: str | None) -> int:
    """Mark a database as NAME, as its owner or a superuser.

    A superuser writes the database's setting pgrehearse.environment, every other owner the end of the comment
    on the database. The text of a comment stays.
    """
    with reached(dsn_or_url(dsn)) as connection:
        before = marks.read(connection)
        now = before.strongest
        if replace is not None and replace != now:
            raise SetupError(
                f"refused: {before.name!r} is {now or 'not marked'}, not {replace}",
                next_step="check --dsn and --replace",
            )
        if now is not None and protection(name) < protection(now):
            demand(Operation.LOWER_MARK, now, before.name, said=replace is not None)
        after = marks.write(connection, name)
    click.echo(f"{after.name} is {name}, said by {after.source}")
    return 0


@environment.command("show")
@dsn_option
def show(dsn: str | None) -> int:
    """Show which environment a database is and where it says so. Exit status 69 without a mark."""
    target = open_target(dsn_or_url(dsn), session=False)
    click.echo(target)
    click.echo(f"said by {target.mark.source}")
    return 0


@environment.command("demo")
@click.option("--on", metavar="DSN", help="Use the server of this disposable database; start none.")
@click.option("--stop", is_flag=True, help="Remove it again.")
def demo(on: str | None, stop: bool) -> int:
    """Make three databases and their people, to play a promotion with.

    What it prints is for the shell: eval "$(pgrehearse environment demo)". The server that is started for it
    ends with that shell, or with --stop. The people are roles: rita requests, dora and dan approve, deploy
    applies, vic looks, the superuser postgres installs; act as one with PGUSER=rita.
    """
    from pgrehearse.promotion import demo as demonstration  # every other command would pay for it

    if on is not None:
        server = demonstration.given(on)
        if stop:
            demonstration.remove(server)
        else:
            demonstration.make(server)
            click.echo(demonstration.script(server))
        return 0
    keeper = os.environ.get(demonstration.KEPT_BY, "")
    if not stop:
        if keeper:
            demonstration.stop(keeper)
        click.echo(demonstration.kept(asking_shell()))
        return 0
    if not keeper:
        raise SetupError(
            f"{demonstration.KEPT_BY} is not set, which says what to end",
            next_step="run this in the shell that read what pgrehearse environment demo printed",
        )
    demonstration.stop(keeper)
    return 0
