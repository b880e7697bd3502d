"""``pgrehearse promote install``: the state machine and its roles, in the database of an environment."""

from __future__ import annotations

from pathlib import Path

import click

from pgrehearse.command.db.target import announce, tell
from pgrehearse.environments.permissions import Operation, demand
from pgrehearse.promotion import environments_file, reached
from pgrehearse.promotion import installing as installer
from pgrehearse.promotion.installing import FILE
from pgrehearse.promotion.quantities import counted
from pgrehearse.text.project import Project

__all__ = ["install"]


@click.command()
@click.argument("environment", required=False)
@click.option("--show", is_flag=True, help="Print the SQL file that is applied, to be reviewed, and end.")
def install(environment: str | None, show: bool) -> int:
    """Install, or bring up to date, what promotion needs in the database of ENVIRONMENT.

    One SQL file: tables, five roles, row security, functions and triggers. It needs CREATEROLE, and CREATE on
    the database; no superuser. Rules and the members of the roles become what environments.toml says.
    """
    if show:
        click.echo(FILE.read_text("utf-8"), nl=False)
        return 0
    if environment is None:
        raise click.UsageError("name the ENVIRONMENT, or say --show")
    step = environments_file.step(Project.find(Path.cwd()), environment)
    target = reached.home(step.environment)
    announce(target)
    demand(Operation.INSTALL_PROMOTION, target.environment, target.database)
    done = installer.install(target.conninfo, step.environment, step.position)
    click.echo(f"installed in {target.database}: {counted(step.environment.approvals, 'approval')}")
    for group, member in done.granted:
        click.echo(f"granted {group} to {member}")
    for group, member in done.revoked:
        click.echo(f"revoked {group} from {member}, who is not in environments.toml")
    if done.unread:
        tell(f"{', '.join(done.unread)}: readable for who takes part once promote apply has run")
    return 0
