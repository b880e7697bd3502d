"""``pgrehearse backup copy``: a backup is restored for as long as a command runs, which asks the copy."""

from __future__ import annotations

import subprocess
from pathlib import Path

import click
from psycopg.conninfo import conninfo_to_dict

from pgrehearse.backup import verify as verifying
from pgrehearse.backup.adapters import adapter, recognized
from pgrehearse.backup.proof import Proof, Refused
from pgrehearse.command.backup.common import (
    adapter_option,
    into_option,
    jobs_option,
    looked_at,
    options_option,
    working,
)
from pgrehearse.command.db.target import dsn_option, environment_option
from pgrehearse.environments.connection_strings import environment_variables
from pgrehearse.errors import ExpectationError, SetupError
from pgrehearse.servers import libpq_environment
from pgrehearse.servers.binaries import client

__all__ = ["copy"]


@click.command(context_settings={"allow_interspersed_args": False})
@dsn_option
@environment_option
@adapter_option
@options_option
@jobs_option
@into_option
@click.argument("place")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def copy(
    place: str,
    command: tuple[str, ...],
    dsn: str | None,
    environment: str | None,
    adapter_name: str | None,
    options: tuple[str, ...],
    jobs: int,
    into: Path | None,
) -> int:
    """Restore the backup at PLACE to a copy, and run COMMAND on it; psql, unless said.

    Such as: pgrehearse backup copy PLACE pg_dump --table orders. libpq's environment leads the command to
    the copy, which is disarmed, and gone when the command has ended. Its exit status is that of the command.
    """
    _, original = looked_at(dsn, environment)
    of = adapter(adapter_name) if adapter_name else recognized(place)
    proof = Proof()
    try:
        with working(of, place, original, options, jobs, into) as found:
            facts = found.listed(proof)
            verifying.compared(facts, original, proof)
            with found.restored(facts, proof) as restored:
                status = _run(command, restored.dsn(original.database))
    except Refused as refused:
        raise ExpectationError(f"{place}: {refused.said}", next_step=refused.next_step) from None
    for line in proof.lines:
        if not line.ok:
            click.echo(f"not proven: {line.check}: {line.said}\n  next: {line.next_step}", err=True)
    return status


def _run(command: tuple[str, ...], dsn: str) -> int:
    """Run it with a session of its own: without the settings that keep our questions safe."""
    parts = {name: str(value) for name, value in conninfo_to_dict(dsn).items() if value}
    parts.pop("options", None)
    words = command or (str(client("psql")),)
    try:
        return subprocess.run(
            words, env=libpq_environment(environment_variables(parts)), check=False
        ).returncode
    except OSError as error:
        raise SetupError(
            f"{words[0]} cannot be run: {error.strerror}", next_step="check the command"
        ) from None
