"""Which shell asked for a command: not the process that a shell forked to read it, nor a program in between.

A shell forks for ``$(pgrehearse ... 2>file)``, for a pipe, and for anything at all while it has a trap; ``uv
run`` starts what it runs and waits. Each ends at once, and the shell goes on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

__all__ = ["asking_shell"]

_SHELLS = ("ash", "bash", "dash", "fish", "ksh", "ksh93", "mksh", "sh", "zsh")


class _Process(NamedTuple):
    """``laid_out``: where its stack and its arguments are; a fork has them where its parent has."""

    pid: int
    name: str
    parent: int
    laid_out: tuple[bytes, ...]


def asking_shell() -> int:
    """The nearest shell above that was started as a program; the parent, where none can be seen."""
    above = list(_above(os.getppid()))
    for process, parent in zip(above, [*above[1:], None], strict=True):
        forked = parent is not None and process.laid_out == parent.laid_out != ()
        if process.name in _SHELLS and not forked:
            return process.pid
    return os.getppid()


def _above(pid: int) -> Iterator[_Process]:
    """The process ``pid`` and those above it, as far as they can be seen."""
    while pid > 1:
        process = _look(pid)
        if process is None:
            return
        yield process
        pid = process.parent


def _look(pid: int) -> _Process | None:
    with suppress(OSError):
        before, _, after = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")
        fields = after.split()
        places = (
            fields[25],
            fields[45],
            fields[47],
        )  # stack, arguments, environment; 0: they may not be seen
        name = before.partition(b"(")[2].decode("utf-8", "replace")
        return _Process(pid, name, int(fields[1]), () if b"0" in places else places)
    return None
