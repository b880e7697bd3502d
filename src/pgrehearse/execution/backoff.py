"""Another try, after a pause, of what PostgreSQL refused for the moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["AGAIN", "LOCK_NOT_AVAILABLE", "Backoff", "Pause"]

LOCK_NOT_AVAILABLE = "55P03"
#: SQLSTATEs after which the same statements may succeed: lock_timeout, deadlock, serialization.
AGAIN = frozenset({LOCK_NOT_AVAILABLE, "40P01", "40001"})
#: Seconds before the second, third, ... try; then always the last.
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


def _sleep(seconds: float) -> None:
    time.sleep(seconds)


@dataclass(frozen=True)
class Pause:
    """What is told before a pause of ``seconds``: after ``sqlstate`` comes try ``number`` of ``of``."""

    sqlstate: str
    number: int
    of: int
    seconds: float


@dataclass(frozen=True)
class Backoff:
    """How patiently something is tried: ``attempts`` times in all, with ``sleep`` (seconds) in between."""

    attempts: int = 10
    sleep: Callable[[float], None] = _sleep

    def pause(self, number: int, sqlstate: str | None) -> Pause | None:
        """The pause after try ``number`` ended with ``sqlstate``.

        None: it was the last, or another would not help.
        """
        if sqlstate is None or sqlstate not in AGAIN or number >= self.attempts:
            return None
        seconds = _PAUSES[min(number, len(_PAUSES)) - 1]
        return Pause(sqlstate, number + 1, self.attempts, seconds)
