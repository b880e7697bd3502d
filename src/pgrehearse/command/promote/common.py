"""What every ``promote`` command begins with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from pgrehearse.command.db.target import announce, load_migrations
from pgrehearse.command.promote import shown
from pgrehearse.environments.permissions import Operation, demand
from pgrehearse.promotion import environments_file
from pgrehearse.promotion.prepared import Prepared, prepared

__all__ = ["at_environment", "digits", "group_option", "json_option", "why_option"]

group_option: Callable[[Any], Any] = click.option(
    "--group", metavar="NAME", help="The databases of this group of environments.toml, not the one database."
)
json_option: Callable[[Any], Any] = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


def why_option(what: str, *, needed: bool = False) -> Callable[[Any], Any]:
    """``--why``, which is kept; demanded where it is ``needed``."""
    # A default, None too, would satisfy the demand.
    rule: dict[str, Any] = {"required": True} if needed else {"default": ""}
    return click.option("--why", metavar="TEXT", help=f"{what}; kept with it.", **rule)


def digits(context: click.Context, parameter: click.Parameter, value: str | None) -> str:
    """A hash, or enough of its first digits to mean one; empty where the option was not given."""
    if value is not None and not re.fullmatch(rf"[0-9a-f]{{{shown.SHORT},64}}", value):
        raise click.BadParameter(f"write the first {shown.SHORT} digits of the hash, or more")
    return value or ""


@contextmanager
def at_environment(name: str, what: str, operation: Operation, *, quiet: bool = False) -> Iterator[Prepared]:
    """The environment ``name`` of the project around the working directory, for ``promote what``."""
    project, migrations = load_migrations()
    with prepared(project, environments_file.step(project, name), migrations, what) as found:
        if not quiet:
            announce(found.home)
        demand(operation, found.home.environment, found.home.database)
        yield found
