"""Which adapters there are, and which of them a backup is for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from pgrehearse.backup.adapter import Adapter
from pgrehearse.errors import SetupError

__all__ = ["ADAPTERS", "adapter", "recognized"]

#: name -> module and class; imported when it is wanted.
ADAPTERS: Mapping[str, tuple[str, str]] = {
    "pg_basebackup": ("pgrehearse.backup.base_backup", "BaseBackup"),
    "pg_dump": ("pgrehearse.backup.dump_backup", "DumpBackup"),
    "pgbackrest": ("pgrehearse.backup.pgbackrest", "PgBackRest"),
    "barman": ("pgrehearse.backup.barman", "Barman"),
    "command": ("pgrehearse.backup.own_command", "OwnCommand"),
}


def adapter(name: str) -> type[Adapter]:
    """Raises SetupError: there is none of that name."""
    if name not in ADAPTERS:
        raise SetupError(f"no adapter is called {name!r}", next_step=f"there are {', '.join(ADAPTERS)}")
    module, word = ADAPTERS[name]
    found: type[Adapter] = getattr(import_module(module), word)
    return found


def recognized(place: str) -> type[Adapter]:
    """The adapter of the backup at ``place``, by its look. Raises SetupError: none knows it."""
    for name in ADAPTERS:
        found = adapter(name)
        if found.recognizes(place):
            return found
    raise SetupError(
        f"no adapter knows what {place} is",
        next_step=f"check the path, or say --adapter, one of {', '.join(ADAPTERS)}",
    )
