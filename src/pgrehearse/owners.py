"""Who owns what a run makes: a process, named so that a later run knows whether it is gone."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from pathlib import Path

__all__ = ["marker", "owner_is_gone"]


def marker(pid: int | None = None) -> str:
    """A process, this one unless another is given, in words no later one shares: namespace:number:start."""
    return _marker(os.getpid() if pid is None else pid)


@cache
def _marker(pid: int) -> str:
    return f"{_namespace()}:{pid}:{_started(pid)}"


def owner_is_gone(mark: str) -> bool:
    """Whether the process ``mark`` names has ended. False for what is not known, as of another container."""
    try:
        namespace, pid, started = mark.split(":")
        return namespace == _namespace() != "" and _started(int(pid)) != started != ""
    except ValueError:
        return False


def _started(pid: int) -> str:
    """When it started, in ticks of the machine; empty when it has ended or cannot be seen."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        if fields[0] not in (b"Z", b"X"):
            return fields[19].decode()
    return ""


@cache
def _namespace() -> str:
    """The namespace of process numbers; empty where there is no /proc."""
    with suppress(OSError):
        return str(Path("/proc/self/ns/pid").readlink()).partition("[")[2].rstrip("]")
    return ""
