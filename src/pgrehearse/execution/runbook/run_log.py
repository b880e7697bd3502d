"""The account of a run for people: JSON lines, one event each, no secrets. Nothing resumes from it.

Events are start, begin and step (the two ends of a step), statement, waits, and done or stopped.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from pgrehearse.clock import now
from pgrehearse.errors import SetupError

__all__ = ["RunLog"]


class RunLog:
    """Appends events to one file; every event is on disk, as a whole, before the next step starts.

    Raises SetupError where that cannot be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise self._unwritten(error, "give --log FILE") from error

    def write(self, event: str, *, sync: bool = True, **facts: Any) -> None:
        """Add one event, in ASCII. ``facts`` must hold no password and no rows of the database.

        ``sync``: it is on disk before this returns, with all before it.
        """
        at = now().isoformat(timespec="milliseconds")
        line = (json.dumps({"at": at, "event": event, **facts}) + "\n").encode("ascii")
        handle = self._file.fileno()
        size = os.fstat(handle).st_size
        written = 0
        try:
            while written < len(line):
                written += self._file.write(line[written:])
            if sync and stat.S_ISREG(os.fstat(handle).st_mode):  # /dev/null and a pipe have no disk
                os.fsync(handle)
        except OSError as error:
            with suppress(OSError):
                # A part of a line is no event; what another run has written since is one.
                if os.fstat(handle).st_size == size + written:
                    os.ftruncate(handle, size)
            raise self._unwritten(
                error, "make room, or give --log FILE; run it again, and it goes on"
            ) from error

    def close(self) -> None:
        self._file.close()

    def _unwritten(self, error: OSError, next_step: str) -> SetupError:
        return SetupError(
            f"the run log cannot be written: {error.strerror}", path=self.path, next_step=next_step
        )
