"""``pgrehearse rates``: how long a server takes for each GB of a table, and how much disk."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import psycopg

from pgrehearse.command.terminal import Column, ProgressLine, table, width
from pgrehearse.command.test import versions
from pgrehearse.connections import connect
from pgrehearse.errors import SetupError, first_line
from pgrehearse.execution.maker import Maker
from pgrehearse.measurement import rates as measured
from pgrehearse.measurement.evidence import rates as evidence
from pgrehearse.measurement.rates import KINDS, Rates
from pgrehearse.measurement.words import lasting
from pgrehearse.servers import Server, Servers
from pgrehearse.text.project import Project

__all__ = ["rates"]

_COLUMNS = (
    Column("for each GB of a table"),
    Column("seconds", right=True),
    Column("10 GB", right=True),
    Column("100 GB", right=True),
    Column("disk", right=True),
)


@click.command()
@click.option("--pg", default="", help="Server majors, such as 15,17, or all.", metavar="MAJORS")
@click.option(
    "--size",
    type=click.IntRange(1, 65536),
    default=128,
    show_default=True,
    metavar="MB",
    help="Of the table that is made; more than the server's memory measures its disk.",
)
@click.option("--refresh", is_flag=True, help="Write what is measured into evidence/rates.json.")
@click.option("--server", help="Use this server (URL or DSN) and start none.", metavar="URL")
def rates(pg: str, size: int, refresh: bool, server: str | None) -> int:
    """Measure the seconds and the disk that each GB of a table costs: read, checked, indexed, rewritten.

    The first screen of a runbook says which of these its steps do. Without --server it is a server started
    for this, in memory where there is room, without fsync. With --server it is yours: on a machine like
    that of production, marked disposable, test or development. A database is made there and dropped.
    """
    project = Project.find(Path.cwd())
    with Servers(server) as pool:
        for number, major in enumerate(versions(pg)):
            one = pool.get(major)
            found = _on(one, size)
            if number:
                click.echo()
            _tell(one, found)
            if refresh:
                evidence.save(project, one.major, one.version, found)
    return 0


def _on(server: Server, size: int) -> Rates:
    """Measure in a database of its own. Raises SetupError."""
    maker = Maker(server)
    try:
        name = maker.create("rates")
        with ProgressLine(sys.stderr) as progress, connect(server.dsn(name), autocommit=True) as connection:
            progress.say(f"PostgreSQL {server.version}: three times a table of {size} MB")
            return measured.measure(connection, size)
    except psycopg.Error as error:
        raise SetupError(
            f"the rates could not be measured: {first_line(error)}",
            next_step="a run needs three times the size free on the server's disk; or give a smaller --size",
        ) from error
    finally:
        maker.close()


def _tell(server: Server, found: Rates) -> None:
    click.echo(f"PostgreSQL {server.version}, a table of {found.size >> 20} MB, {found.rows:,} rows")
    rows = [
        (
            kind.said,
            f"{found.seconds[name]:.2f}",
            lasting(10 * found.seconds[name]),
            lasting(100 * found.seconds[name]),
            f"{found.disk[name]:.2f} GB" if name in found.disk else "none",
        )
        for name, kind in KINDS.items()
    ]
    click.echo(table(_COLUMNS, rows, within=width()))
