"""A folder for a copy: there is room for it, and nothing of it is left behind."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgrehearse.backup.proof import NoRoom
from pgrehearse.errors import SetupError
from pgrehearse.servers import given

__all__ = ["full", "outside", "room", "size_of"]

#: What a server needs besides its files: WAL of its own, temporary files of checks.
_SPARE = 256 << 20  # bytes
_FULL = [os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)]
_NEXT = "make room there, or name a folder on another disk"


@contextmanager
def room(into: Path | None, wanted: int) -> Iterator[Path]:
    """A new private folder below ``into`` with room for ``wanted`` bytes; it goes with the block.

    Args:
        into: None: where temporary files go.

    What a killed run left there goes first. Raises NoRoom; SetupError: it cannot be used. Never Refused: the
    backup is as good as it was.
    """
    parent = (into or Path(tempfile.gettempdir())).absolute()
    if not parent.is_dir():
        raise SetupError(f"{parent} is no folder", next_step="name one with --into, on a disk that has room")
    outside(parent)
    given.sweep(parent)
    free = shutil.disk_usage(parent).free
    if free < wanted + _SPARE:
        raise NoRoom(
            f"the copy needs {_told(wanted + _SPARE)}, and {parent} has {_told(free)}", next_step=_NEXT
        )
    folder = given.folder(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def full(said: str) -> None:
    """Raise NoRoom where a program, a server or the system says that a disk is full."""
    line = next((line for line in said.splitlines() if any(word in line for word in _FULL)), None)
    if line is not None:
        raise NoRoom(f"a disk is full: {line.strip()}", next_step=_NEXT)


def outside(place: Path) -> None:
    """Raise SetupError when ``place`` lies in the files of a server: its data directory or a tablespace."""
    for folder in (place, *place.resolve().parents):
        if (folder / "PG_VERSION").is_file() or any(folder.glob("PG_[0-9]*_[0-9]*")):
            raise SetupError(
                f"{place} lies in {folder}, which holds the files of a server, or of a backup",
                next_step="name a folder elsewhere",
            )


def size_of(folder: Path) -> int:
    """Bytes of the files below ``folder``, those behind links to folders too."""
    total = 0
    for at, _, files in os.walk(folder, followlinks=True):
        for name in files:
            try:
                total += Path(at, name).stat().st_size
            except FileNotFoundError:
                continue
    return total


def _told(size: int) -> str:
    return f"{size / (1 << 30):,.1f} GB" if size >= 1 << 30 else f"{size / (1 << 20):,.0f} MB"
