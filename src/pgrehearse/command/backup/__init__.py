"""``pgrehearse backup``: a module for each command about backups.

What they share: ``common`` opens the database and the adapter, ``shown`` says how evidence and progress look.
"""

from __future__ import annotations

import click

from pgrehearse.command.lazy import LazyGroup

__all__ = ["backup"]

_COMMANDS = ("take", "verify", "copy", "status")


@click.group(cls=LazyGroup, places={name: (f"pgrehearse.command.backup.{name}", name) for name in _COMMANDS})
def backup() -> None:
    """Take backups, restore them before anybody needs them, and keep receipts of that.

    The database is --dsn, or what libpq's environment names, or DATABASE_URL.
    """
