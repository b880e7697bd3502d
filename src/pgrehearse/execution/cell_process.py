"""Processes that cells run in: each the leader of its own session, with signals as in a terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

__all__ = ["interruptible", "kill", "start"]

_Stream = int | IO[bytes] | None


@contextmanager
def interruptible() -> Iterator[None]:
    """What is started inside takes SIGINT as usual, even where this process was started to ignore it.

    A shell starts background jobs so, and a child inherits it: then what a cell prints would depend on how
    the run was started. A signal with a handler, unlike an ignored one, is back at its default in a child.
    """
    ours = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if not ours or threading.current_thread() is not threading.main_thread():  # only that one may set it
        yield
        return
    signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def start(
    command: Sequence[str],
    env: Mapping[str, str],
    *,
    stdin: _Stream,
    stdout: _Stream,
    stderr: _Stream = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start ``command``; whoever starts it ends it with `kill`."""
    with interruptible():
        return subprocess.Popen(
            command, stdin=stdin, stdout=stdout, stderr=stderr, cwd=cwd, env=env, start_new_session=True
        )


def kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and what its cells started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
