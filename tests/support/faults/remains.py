"""What nobody may leave behind: processes, files, sessions, locks, databases."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from support.processes import alive

__all__ = ["MARK", "files", "processes"]

#: An environment variable that every process of a trial inherits, whatever session or group it is in.
MARK = "PGREHEARSE_FAULT_MARK"


def processes(mark: str) -> list[str]:
    """Command lines of the processes that were started, by however many steps, with this mark."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0") and alive(int(folder.name)):
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append(f"{folder.name} {words}")
        except OSError:
            continue  # it ended, or belongs to somebody else
    return found


def files(folder: Path) -> Iterator[str]:
    """Drafts and other files below ``folder`` that only a run under way may have."""
    for path in folder.rglob("*"):
        if path.name.endswith((".tmp", ".draft")) and os.path.lexists(path):
            yield str(path.relative_to(folder))
