"""``pgrehearse dashboard``: where every environment stands, in a browser."""

from __future__ import annotations

import os

import click

from pgrehearse.command.db.target import load_migrations
from pgrehearse.errors import SetupError
from pgrehearse.status.everywhere import DEADLINE
from pgrehearse.status.survey import survey

__all__ = ["dashboard"]


@click.command()
@click.option(
    "--address", default="127.0.0.1:8420", show_default=True, help="Where to serve; port 0: a free one."
)
@click.option(
    "--host-name",
    "names",
    metavar="NAME",
    multiple=True,
    help="A name by which it may be asked for, beside its address; may be repeated.",
)
@click.option(
    "--every",
    metavar="SECONDS",
    type=click.FloatRange(min=0.1),
    default=30.0,
    show_default=True,
    help="Between two looks.",
)
@click.option(
    "--deadline",
    metavar="SECONDS",
    type=click.FloatRange(min=0.1),
    default=DEADLINE,
    show_default=True,
    help="How long each database gets.",
)
@click.option("--handbook", metavar="URL", default="", help="Where this handbook is, for links to it.")
def dashboard(address: str, names: tuple[str, ...], every: float, deadline: float, handbook: str) -> int:
    """Serve pages that show where every environment of environments.toml stands, and change nothing.

    Only this machine can ask. For another --address the variable PGREHEARSE_DASHBOARD_TOKEN has to hold a
    token: a browser asks for it as a password, Prometheus sends it as a bearer token.
    """
    try:
        from pgrehearse.dashboard import serving
    except ModuleNotFoundError as error:
        raise SetupError(
            f"{error.name} is not installed", next_step="pip install 'pgrehearse[dashboard]'"
        ) from None
    project, migrations = load_migrations()
    settings = serving.Settings(address, names, os.environ.get(serving.TOKEN, ""), every, handbook)
    serving.serve(survey(project, migrations, deadline=deadline), settings, click.echo)
    return 0
