"""``pgrehearse psql``: open the database that a failed rehearsal kept."""

from __future__ import annotations

import datetime
import subprocess

import click

from pgrehearse.errors import SetupError
from pgrehearse.servers import forget_kept, kept, libpq_environment, reopen
from pgrehearse.servers.binaries import client

__all__ = ["psql"]


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("database", required=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option("--forget", is_flag=True, help="Remove every kept server that is not open.")
def psql(database: str | None, arguments: tuple[str, ...], forget: bool) -> int:
    """Open DATABASE, as a failed test named it, in psql; without it, list what was kept.

    ARGUMENTS go to psql, such as -c 'SELECT 1'.
    """
    if forget:
        removed = forget_kept()
        click.echo(f"removed {len(removed)} kept servers")
        return 0
    if database is None:
        for entry in kept():
            when = datetime.datetime.fromtimestamp(entry.stored).isoformat(" ", "minutes")
            click.echo(f"{entry.id}  PostgreSQL {entry.version}  kept {when}")
        return 0
    server_id, _, name = database.partition("/")
    if not name:
        raise SetupError(f"{database!r} is no kept database", next_step="list them with `pgrehearse psql`")
    with reopen(server_id) as server:
        environment = libpq_environment(server.env(name))
        return subprocess.run([str(client("psql")), *arguments], env=environment, check=False).returncode
