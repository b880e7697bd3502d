"""The last look at all databases, made again and again by a thread of its own.

Whoever reads gets what is there, at once. When looks fail, or none has ended for long, that is said: what is
old is not shown as if it were so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from pgrehearse import clock
from pgrehearse.errors import PgRehearseError
from pgrehearse.status.fact import Level, worst
from pgrehearse.status.snapshot import Snapshot

__all__ = ["LastLook", "Latest", "Once"]

Made = TypeVar("Made")

#: Seconds at least between the end of a look and the next.
_REST = 0.1


@dataclass(frozen=True)
class LastLook:
    """One look.

    Attributes:
        number: counted from 1; 0 before the first has ended.
        at: when it ended.
        took: seconds.
        ended: the same moment by a clock that nobody sets back, in seconds.
    """

    number: int
    at: datetime
    took: float
    found: tuple[Snapshot, ...]
    ended: float = field(default_factory=time.monotonic)


class Once(Generic[Made]):
    """What ``make`` makes of a look, and of what else is said, made when it is first asked for and not again.

    Of a thousand databases it takes a tenth of a second or more, which the next look would lack.
    """

    def __init__(self, make: Callable[..., Made]) -> None:
        self._make = make
        self._kept: tuple[LastLook, tuple[Hashable, ...], Made] | None = None

    def __call__(self, look: LastLook, *more: Hashable) -> Made:
        if self._kept is None or self._kept[0] is not look or self._kept[1] != more:
            self._kept = look, more, self._make(look, *more)
        return self._kept[2]


class Latest:
    """Looks with ``look``, from `start` to `stop`; a look begins ``every`` seconds after the one before."""

    def __init__(self, look: Callable[[], Sequence[Snapshot]], every: float) -> None:
        self._look = look
        self.every = every
        self.now = LastLook(0, clock.now(), 0.0, ())
        self._failed = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="looks", daemon=True)

    def start(self) -> None:
        """Begin; the first look has not ended then."""
        self._thread.start()

    def stop(self) -> None:
        """No look is begun after this."""
        self._ended.set()

    @property
    def problem(self) -> str:
        """Why what is there may not be so any more; empty when it is fresh."""
        now = self.now
        if not now.number:
            return self._failed or "the first look has not ended yet"
        # By both: the time of day may be set back, and the other clock stands still while a machine sleeps.
        age = max(clock.now() - now.at, timedelta(seconds=time.monotonic() - now.ended))
        if self._failed:
            return f"the last look failed: {self._failed}; this is from {now.at:%Y-%m-%d %H:%M:%S} UTC"
        if age > timedelta(seconds=3 * self.every + now.took):
            return f"no look has ended since {now.at:%Y-%m-%d %H:%M:%S} UTC"
        return ""

    @property
    def level(self) -> Level:
        """Of all databases; unknown as long as nobody knows."""
        return Level.UNKNOWN if self.problem else worst(one.level for one in self.now.found)

    def once(self) -> None:
        """One look."""
        begun = time.monotonic()
        try:
            found = tuple(self._look())
        except PgRehearseError as error:
            self._failed = error.message
        except Exception as error:  # it is said on every page; the next look may succeed
            self._failed = f"a bug in pgrehearse: {error!r}"
        else:
            self._failed = ""
            self.now = LastLook(self.now.number + 1, clock.now(), time.monotonic() - begun, found)

    def _go_on(self) -> None:
        while not self._ended.is_set():
            begun = time.monotonic()
            self.once()
            self._ended.wait(max(self.every - (time.monotonic() - begun), _REST))
