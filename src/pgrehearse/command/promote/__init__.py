"""``pgrehearse promote``: a module for each command that takes a change to the next environment."""

from __future__ import annotations

import click

from pgrehearse.command.lazy import LazyGroup

__all__ = ["promote"]

_PLACES = {
    name: (f"pgrehearse.command.promote.{module}", name)
    for name, module in {
        "install": "install",
    }.items()
}


@click.group(cls=LazyGroup, places=_PLACES)
def promote() -> None:
    """Take a change to the next environment, through its gates.

    environments.toml says which environments there are, and what each asks for. Every command connects as
    whoever calls it: who may do what is decided by PostgreSQL.
    """
