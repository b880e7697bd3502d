"""Waiting for what another process or connection does. The only place that sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["LIMIT", "wait_until"]

#: Seconds until a test fails that waits for something that must come. A busy machine is no fault, and what
#: comes costs nothing.
LIMIT = 120.0


def wait_until(condition: Callable[[], bool], what: str, limit: float = LIMIT) -> None:
    """Return when ``condition`` holds; fail with ``what`` when it does not within ``limit`` seconds."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit} s: {what}"
        time.sleep(0.005)
