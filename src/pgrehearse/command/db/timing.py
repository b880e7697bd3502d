"""``pgrehearse db timing``: what migrations cost, and whether they cost more than they may."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from psycopg.pq import Conninfo

from pgrehearse import files
from pgrehearse.command.db.cost_table import chart, table
from pgrehearse.command.db.target import find, load_migrations, tell
from pgrehearse.migration.timing import costs as ledgers
from pgrehearse.migration.timing.budgets import exceeded, load
from pgrehearse.migration.timing.costs import Timing
from pgrehearse.migration.timing.volume import Volume, rehearse
from pgrehearse.servers import Servers
from pgrehearse.servers.binaries import SUPPORTED

__all__ = ["timing"]


@click.command()
@click.option(
    "--dsn",
    "dsns",
    multiple=True,
    metavar="[NAME=]DSN",
    help="The database; several stand beside each other, each with a name. Without it, as for db up.",
)
@click.option("--statements", is_flag=True, help="One line a statement, below its migration.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, statements included.")
@click.option(
    "--svg", type=click.Path(path_type=Path, dir_okay=False), help="Write a bar chart to this file."
)
@click.option(
    "--rehearse",
    "rehearsed",
    is_flag=True,
    help="Measure on a disposable database with many rows, and compare with db/budgets.toml.",
)
@click.option("--rows", type=click.IntRange(min=0), default=1_000_000, show_default=True, help="Seeded rows.")
@click.option(
    "--pg", type=click.Choice([str(major) for major in SUPPORTED]), help="Server major to rehearse on."
)
def timing(
    dsns: tuple[str, ...],
    statements: bool,
    as_json: bool,
    svg: Path | None,
    rehearsed: bool,
    rows: int,
    pg: str | None,
) -> int:
    """Show what each migration cost in a database: time, waiting, WAL, rewritten tables.

    With --rehearse it is measured: everything is applied to a disposable database, --rows rows are seeded,
    and what can be undone without losing them is undone and applied again. Exit status 1 if a statement takes
    longer than its budget, or rewrites a table that is not declared.
    """
    if rehearsed and dsns:
        raise click.UsageError("--rehearse brings its own database: leave out --dsn")
    volume = _volume(rows, pg) if rehearsed else None
    found = {"disposable": list(volume.timings)} if volume else _read(dsns)
    if svg is not None:
        files.write(svg, chart(found))
    click.echo(_json(found, volume) if as_json else table(found, statements=statements))
    return _compare(volume, as_json) if volume else 0


def _volume(rows: int, pg: str | None) -> Volume:
    project, migrations = load_migrations()
    load(project.migrations.parent / "budgets.toml", migrations)  # a mistake in it shows before the work
    with Servers() as servers:
        server = servers.get(int(pg) if pg else None)
        tell(f"PostgreSQL {server.version}, {rows:,} rows")
        return rehearse(server, project, migrations, rows, tell)


def _compare(volume: Volume, as_json: bool) -> int:
    project, migrations = load_migrations()
    file = project.migrations.parent / "budgets.toml"
    problems = exceeded(load(file, migrations), volume.timings, migrations, volume.versions)
    for problem in problems:
        click.echo(f"error: {problem.text()}", err=True)
    if volume.stopped:
        tell(f"older ones were measured without rows and not compared: {volume.stopped}")
    if not as_json:
        count = len(volume.versions)
        said = f"{len(problems)} over budget" if problems else "all within their budgets"
        click.echo(f"{count} migrations on {volume.rows:,} rows: {said if count else 'nothing compared'}")
    return 1 if problems else 0


def _read(dsns: tuple[str, ...]) -> dict[str, list[Timing]]:
    found = {}
    for name, dsn in [_named(text) for text in dsns] or [("", "")]:
        target = find(dsn or None, session=False)
        label = name or target.environment
        if label in found:
            raise click.UsageError(f"two databases are called {label}: write --dsn NAME=DSN")
        found[label] = ledgers.read(target.conninfo)
    return found


def _named(text: str) -> tuple[str, str]:
    """``staging=service=x`` is a name and a DSN, ``service=x`` only a DSN."""
    name, equals, rest = text.partition("=")
    keywords = {option.keyword.decode() for option in Conninfo.get_defaults()}
    if equals and name.replace("-", "").replace("_", "").isalnum() and name not in keywords:
        return name, rest
    return "", text


def _json(found: dict[str, list[Timing]], volume: Volume | None) -> str:
    value: dict[str, Any] = {
        name: [
            {
                "version": one.version,
                "name": one.name,
                "at": one.at and one.at.isoformat(),
                "who": one.who,
                "attempts": one.attempts,
                "milliseconds": one.milliseconds,
                "statements": [asdict(cost) for cost in one.costs],
                **({"on_rows": one.version in volume.versions} if volume else {}),
            }
            for one in timings
        ]
        for name, timings in found.items()
    }
    return json.dumps(value, indent=2)
