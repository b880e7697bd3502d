"""A backup is made: a canary row first, then the program of the adapter."""

from __future__ import annotations

from pgrehearse.backup import canary
from pgrehearse.backup.adapter import Adapter
from pgrehearse.backup.canary import Canary

__all__ = ["take"]


def take(adapter: Adapter) -> Canary:
    """Make the backup; the row to be read back from its copy. Raises SetupError."""
    written = canary.write(adapter.original.target.conninfo)
    adapter.take()
    return written
