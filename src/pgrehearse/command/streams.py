"""What surrounds a command: its streams, which may be closed, full or gone, and signals that end it."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn, TextIO

__all__ = ["lost_output", "prepared", "terminable", "too_late", "unread"]


def prepared() -> None:
    """Give the command three streams that can be written, whatever the caller left open.

    A file opened later would take the number of a closed stream, and what programs print would go into it.
    What the encoding of a stream does not know is spelled.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
            os.set_inheritable(number, True)
    sys.stdout = _text(sys.stdout, 1)
    sys.stderr = _text(sys.stderr, 2)
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8", closefd=False)


def _text(stream: TextIO | None, number: int) -> TextIO:
    if stream is None:  # closed when Python started
        return os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
    with suppress(AttributeError):  # somebody's own stream, as in tests
        stream.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]
    return stream


def lost_output() -> OSError | None:
    """Why standard output or standard error cannot be written, if so. They are silent from then on."""
    found = None
    for stream in (sys.stderr, sys.stdout):
        try:
            stream.flush()
        except (OSError, ValueError) as error:
            found = error if isinstance(error, OSError) else OSError(0, "it is closed")
            nothing = os.open(os.devnull, os.O_WRONLY)
            with suppress(OSError, ValueError):
                os.dup2(nothing, stream.fileno())  # else Python tries again at its end, and exits with 120
            os.close(nothing)
    return found


def unread(outputs: Iterable[int] = (1, 2)) -> bool:
    """Whether one of these descriptors, our outputs, is a pipe whose reader has ended."""
    gone = select.POLLERR | select.POLLHUP
    poll = select.poll()
    for number in outputs:
        poll.register(number, 0)  # no event is asked for; these two are told in any case
    return any(event & gone for _, event in poll.poll(0))


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM and SIGHUP end a command as Ctrl-C does: the statement is canceled, what was made is removed.

    What the caller has the command ignore, as nohup does, stays ignored.
    """

    def stop(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt

    before = {}
    if threading.current_thread() is threading.main_thread():  # only that one may set handlers
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) == signal.SIG_DFL:
                before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, handler)


def too_late() -> None:
    """From here on the command is done, and says so: no signal makes it look interrupted."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
