"""Signals that end a command as Ctrl-C does."""

from __future__ import annotations

import signal
from typing import NoReturn

__all__ = ["on_terminate"]


def on_terminate() -> None:
    """SIGTERM and SIGHUP end a command as Ctrl-C does: the statement is canceled, the attempt recorded."""

    def stop(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup wants it to go on
        signal.signal(signal.SIGHUP, stop)
