"""Whether a process of ours has ended, told at once: ``Popen.wait`` with a limit looks every 50 ms."""

from __future__ import annotations

import os
import select
import subprocess
from typing import Any

__all__ = ["ended"]


def ended(process: subprocess.Popen[Any], seconds: float) -> bool:
    """Wait until it has ended, at most ``seconds``; whether it has. Its ``returncode`` is known then."""
    if process.poll() is not None:
        return True
    try:
        watched = os.pidfd_open(process.pid)  # readable when it ends
    except (AttributeError, OSError):  # not on Linux, or no descriptor is left
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True
    try:
        poll = select.poll()
        poll.register(watched, select.POLLIN)
        poll.poll(seconds * 1000)
    finally:
        os.close(watched)
    return process.poll() is not None
