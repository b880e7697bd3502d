"""What runs left whose processes were all killed, supervisors too: ended and removed by the next one.

Every folder of a run says which process owns it. One whose owner lives, or is of another container, or says
nothing, is left alone; so is one that its supervisor is about to put away.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

from pgrehearse.owners import marker, owner_is_gone

__all__ = ["claim", "prefix", "sweep"]

_OWNER = "owner"
_LIMIT = 5.0  # seconds a server has to end


def claim(directory: Path) -> None:
    """Say in a server's ``directory`` that this process owns it."""
    (directory / _OWNER).write_text(marker(), "utf-8")


def prefix() -> str:
    """How the name of a temporary folder begins that says the same."""
    return f"pgrehearse-{marker().replace(':', '-')}-"


@cache
def sweep(parents: tuple[str, ...]) -> None:
    """Clear up below ``parents`` and where temporary files go, once a process."""
    for parent in parents:
        for directory in _ours(Path(parent).glob("pgr-*")):
            with suppress(OSError, UnicodeDecodeError):
                if owner_is_gone((directory / _OWNER).read_text("utf-8")) and _ended(directory):
                    shutil.rmtree(directory, ignore_errors=True)
    for folder in _ours(Path(tempfile.gettempdir()).glob("pgrehearse-*-*-*-*")):
        if owner_is_gone(":".join(folder.name.split("-")[1:4])):
            shutil.rmtree(folder, ignore_errors=True)


def _ours(paths: Iterable[Path]) -> list[Path]:
    """Folders that this user may remove, or made for the server's user."""
    me = os.geteuid()
    return [
        path for path in paths if not path.is_symlink() and path.is_dir() and me in (0, path.stat().st_uid)
    ]


def _ended(directory: Path) -> bool:
    """End the server whose socket is in ``directory``; False when its supervisor is there to do it."""
    running = _of(directory)
    if any("pgrehearse-supervisor" in words for words in running.values()):
        return False
    begun = time.monotonic()
    while running := _of(directory):
        late = time.monotonic() - begun > _LIMIT
        for pid in running:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL if late else signal.SIGQUIT)
        if time.monotonic() - begun > 2 * _LIMIT:
            return False
        time.sleep(0.05)
    return True


def _of(directory: Path) -> dict[int, list[str]]:
    """Processes whose command names ``directory``, with the words of the command."""
    found = {}
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            words = line.read_text("utf-8", errors="replace").split("\0")
            if str(directory) in words:
                found[int(line.parent.name)] = words
    return found
