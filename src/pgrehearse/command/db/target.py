"""The database a ``db`` command works with, and how it is named on the command line."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pgrehearse.environments.names import ENVIRONMENTS
from pgrehearse.environments.permissions import Operation, demand
from pgrehearse.environments.target import Target, open_target
from pgrehearse.errors import SetupError
from pgrehearse.majors import untried
from pgrehearse.text import migration_files
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.project import Project

__all__ = [
    "announce",
    "dsn_option",
    "dsn_or_url",
    "environment_option",
    "find",
    "load_migrations",
    "project_with_migrations",
    "tell",
]

dsn_option: Callable[[Any], Any] = click.option(
    "--dsn", help="The database; without it, libpq's environment or DATABASE_URL names it."
)
environment_option: Callable[[Any], Any] = click.option(
    "--environment",
    type=click.Choice(ENVIRONMENTS),
    help="Refuse a database of another environment. Production must be named.",
)


def find(
    dsn: str | None,
    environment: str | None = None,
    operation: Operation = Operation.READ,
    *,
    session: bool = True,
) -> Target:
    """The database that is meant, for ``operation``.

    ``session``: False for what only asks, which a pooler may pass on.
    Raises SetupError: none, not reachable, not of ``environment``, or one where that may not be done.
    """
    target = open_target(dsn_or_url(dsn), session=session)
    if environment is not None and target.environment != environment:
        raise SetupError(
            f"refused: {target.database!r} is {target.environment}, not {environment}",
            next_step="check --dsn and --environment",
        )
    demand(operation, target.environment, target.database, said=environment is not None)
    return target


def dsn_or_url(dsn: str | None) -> str | None:
    """``dsn``, else DATABASE_URL where libpq's environment names no database."""
    named = any(os.environ.get(name) for name in ("PGDATABASE", "PGSERVICE"))
    return dsn or (None if named else os.environ.get("DATABASE_URL"))


def announce(target: Target) -> None:
    """Say which database it is. Nobody mistakes a disposable one, and its name is another every time.

    But what nobody tried is said of any.
    """
    if target.environment != "disposable" or untried(target.version):
        click.echo(f"{target}", err=True)


def project_with_migrations() -> Project:
    """The project around the working directory. Raises SetupError when it has no folder of migrations."""
    project = Project.find(Path.cwd())
    if not project.migrations.is_dir():
        raise SetupError(
            "this project has no migrations",
            path=project.relative(project.migrations),
            next_step="pgrehearse db new NAME writes the first; [tool.pgrehearse] migrations says where",
        )
    return project


def load_migrations() -> tuple[Project, list[Migration]]:
    """The same, and its migrations. Raises DocumentError: one cannot be read."""
    project = project_with_migrations()
    # Errors name a file the way the reader of this terminal would.
    return project, migration_files.load(Path(os.path.relpath(project.migrations)))


def tell(line: str) -> None:
    """A line for people, beside the output proper."""
    click.echo(f"  {line}", err=True)
