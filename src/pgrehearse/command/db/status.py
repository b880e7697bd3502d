"""``pgrehearse db status``: which migrations a database has."""

from __future__ import annotations

import json

import click

from pgrehearse.command.db.target import announce, dsn_option, environment_option, find, load_migrations
from pgrehearse.migration.runner import versions

__all__ = ["status"]


@click.command()
@dsn_option
@environment_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def status(dsn: str | None, environment: str | None, as_json: bool) -> int:
    """List the migrations: applied, pending, edited, missing, late. Exit status 1 if one must not be so."""
    _, migrations = load_migrations()
    target = find(dsn, environment, session=False)
    states = versions.read(target.conninfo, migrations)
    wrong = [state.finding for state in states if state.finding]
    if as_json:
        rows = [
            {"version": s.version, "name": s.label, "state": s.state, "at": s.at and s.at.isoformat()}
            for s in states
        ]
        value = {"database": target.database, "environment": target.environment, "migrations": rows}
        click.echo(json.dumps(value, indent=2))
        return 1 if wrong else 0
    announce(target)
    for state in states:
        when = f"  {state.at:%Y-%m-%d %H:%M:%S}" if state.at else ""
        click.echo(f"{state.state:<8}  {state.label}{when}")
    pending = sum(state.state == "pending" for state in states)
    click.echo(f"{sum(state.state == 'applied' for state in states)} applied, {pending} pending")
    for finding in wrong:
        click.echo(f"problem: {finding.message}\n  next: {finding.next_step}", err=True)
    return 1 if wrong else 0
