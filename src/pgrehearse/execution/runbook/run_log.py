"""The account of a run for people: JSON lines, one event each, no secrets. Nothing resumes from it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pgrehearse.clock import now
from pgrehearse.errors import SetupError

__all__ = ["RunLog"]


class RunLog:
    """Appends events to one file; every event is on disk before the next step starts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise SetupError(
                f"the run log cannot be written: {error.strerror}", path=path, next_step="give --log FILE"
            ) from error

    def write(self, event: str, **facts: Any) -> None:
        """Add one event, in ASCII. ``facts`` must hold no password and no rows of the database."""
        at = now().isoformat(timespec="milliseconds")
        self._file.write(json.dumps({"at": at, "event": event, **facts}) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()
