"""``pgrehearse promote``: a module for each command that takes a change to the next environment.

What they share: ``common`` opens the environment, ``shown`` says how plans, gates and promotions look,
``fleet_shown`` how promotions over several databases do.
"""

from __future__ import annotations

import click

from pgrehearse.command.lazy import LazyGroup

__all__ = ["promote"]

_COMMANDS = ("install", "plan", "request", "approve", "apply", "resume", "skip", "worker", "status", "cancel")


_PLACES = {name: (f"pgrehearse.command.promote.{name}", name) for name in _COMMANDS}


@click.group(cls=LazyGroup, places={**_PLACES, "resume": ("pgrehearse.command.promote.apply", "resume")})
def promote() -> None:
    """Take a change to the next environment, through its gates.

    environments.toml says which environments there are, and what each asks for. Every command connects as
    whoever calls it: who may do what is decided by PostgreSQL.
    """
