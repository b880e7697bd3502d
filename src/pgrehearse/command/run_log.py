"""The log of a run: JSON lines, one event each, no secrets. A later run reads it to resume."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgrehearse.errors import SetupError

__all__ = ["RunLog", "Unfinished", "unfinished"]


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
        """Add one event. ``facts`` must hold no password and no rows of the database."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        self._file.write(json.dumps({"at": now, "event": event, **facts}, ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


@dataclass(frozen=True)
class Unfinished:
    """An earlier run of the same runbook, values and database that did not reach its end."""

    path: Path
    at: str
    #: digests of the cells that were done
    done: frozenset[str]


def unfinished(folder: Path, identity: dict[str, Any]) -> Unfinished | None:
    """The newest run in ``folder`` with this identity, if it did not end; None if it did or there is none."""
    for path in sorted(folder.glob("*.jsonl"), reverse=True):
        events = list(_events(path))
        if events and events[0].get("identity") == identity:
            if any(event["event"] == "done" for event in events):
                return None
            steps = (event for event in events if event["event"] == "step" and event["status"] == "passed")
            done = frozenset(str(event["cell"]) for event in steps if event["phase"] == "Apply")
            earlier = frozenset(str(cell) for cell in events[0].get("resumed", ()))
            return Unfinished(path, str(events[0]["at"]), done | earlier)
    return None


def _events(path: Path) -> Iterable[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            return  # cut off by a kill in the middle of a write
        if not isinstance(event, dict) or "event" not in event:
            return
        yield event
