"""``pgrehearse backup take``: a canary row, then a backup."""

from __future__ import annotations

import shlex

import click

from pgrehearse.backup import take as taking
from pgrehearse.backup.adapters import adapter
from pgrehearse.command.backup.common import adapter_option, jobs_option, looked_at, options_option, working
from pgrehearse.command.db.target import dsn_option, environment_option

__all__ = ["take"]


@click.command()
@click.argument("place")
@dsn_option
@environment_option
@adapter_option
@options_option
@jobs_option
def take(
    place: str,
    dsn: str | None,
    environment: str | None,
    adapter_name: str | None,
    options: tuple[str, ...],
    jobs: int,
) -> int:
    """Write a canary row, then make a backup at PLACE, by pg_basebackup unless --adapter says otherwise.

    PLACE is new. What is interrupted leaves nothing there.
    """
    _, original = looked_at(dsn, environment)
    of = adapter(adapter_name or "pg_basebackup")
    with working(of, place, original, options, jobs) as found:
        written = taking.take(found)
    said = [] if of.recognizes(place) else ["--adapter", of.name, *(f"--option={one}" for one in options)]
    click.echo(f"taken: {place}, with the canary {written.id[:8]}")
    click.echo(f"next: pgrehearse backup verify {shlex.join([place, *said])}", err=True)
    return 0
