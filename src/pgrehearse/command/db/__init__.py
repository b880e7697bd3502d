"""``pgrehearse db``: a module for each command for the migrations of ``db/`` and their databases.

What they share: ``target`` opens the database, ``cost_table`` prints what a migration cost.
"""

from __future__ import annotations

import click

from pgrehearse.command.lazy import LazyGroup

__all__ = ["db"]

_COMMANDS = ("new", "up", "rollback", "status", "check", "lint", "smoke", "test", "timing")


@click.group(cls=LazyGroup, places={name: (f"pgrehearse.command.db.{name}", name) for name in _COMMANDS})
def db() -> None:
    """Apply, undo, compare and try the migrations of db/ (dbmate's layout).

    The database is --dsn, or what libpq's environment names, or DATABASE_URL.
    """
