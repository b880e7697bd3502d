"""``pgrehearse db``: commands for the migrations of ``db/`` and the databases they belong to."""

from __future__ import annotations

from importlib import import_module

import click

__all__ = ["db"]

#: Imported when asked for.
_COMMANDS = ("new", "up", "rollback", "status", "check", "lint", "smoke", "test", "timing")


class _Lazy(click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command = getattr(import_module(f"pgrehearse.command.db.{name}"), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Lazy)
def db() -> None:
    """Apply, undo, compare and try the migrations of db/ (dbmate's layout).

    The database is --dsn, or what libpq's environment names, or DATABASE_URL.
    """
