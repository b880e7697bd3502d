"""When a signal may interrupt: what must not be torn in two is done while signals are held back."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

__all__ = ["Interrupts"]

_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


class Interrupts:
    """Within it no signal interrupts this thread, except where it waits: ``allowed``.

    A handler that raises may do so between any two lines, such as between taking an answer and counting it.
    """

    def __init__(self) -> None:
        self._before: list[set[int]] = []

    def __enter__(self) -> Self:
        self._before.append(set(signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)))
        return self

    def __exit__(self, *exc: object) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before.pop())

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Here one may interrupt, as far as it might before; one that came meanwhile does at once."""
        if not self._before:
            yield
            return
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._before[0])
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
