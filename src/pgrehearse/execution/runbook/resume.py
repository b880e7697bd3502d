"""What an earlier run has done already: read from the logs, so that a later run goes on from there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Unfinished", "unfinished"]

#: What must be equal for one run to have undone another: the text of the runbook may have changed since.
_SAME_WORK = ("runbook", "values", "database")


@dataclass(frozen=True)
class Unfinished:
    """An earlier run of the same runbook, values and database that did not reach its end."""

    path: Path
    at: str
    #: lines of the Apply steps that were done; the identity holds the text, so a line names a step
    done: frozenset[int]


@dataclass(frozen=True)
class _Run:
    """The events of one run; ``start`` is the first."""

    path: Path
    start: dict[str, Any]
    events: list[dict[str, Any]]

    @property
    def identity(self) -> dict[str, Any]:
        found = self.start.get("identity")
        return found if isinstance(found, dict) else {}

    def undoes(self, identity: dict[str, Any]) -> bool:
        """Whether it rolled back, wholly or in part, what a run with ``identity`` does."""
        same = all(self.identity.get(key) == identity[key] for key in _SAME_WORK)
        return same and any(event.get("phase") == "Roll back" for event in self.events)

    def done(self) -> frozenset[int]:
        """Steps whose work is committed. A step inside a transaction counts when that has ended."""
        done = {int(line) for line in self.start.get("resumed", ())}
        inside: set[int] = set()
        for event in self.events:
            if event["event"] == "step" and event["phase"] == "Apply" and event["status"] == "passed":
                inside.add(int(event["line"]))
                if not event["in_transaction"]:
                    done |= inside
                    inside.clear()
        return frozenset(done)


def unfinished(files: Iterable[Path], identity: dict[str, Any]) -> Unfinished | None:
    """The newest run in ``files`` with this identity, unless it ended or was rolled back since."""
    runs = [run for file in files for run in _runs(file)]
    for run in sorted(runs, key=lambda run: str(run.start["at"]), reverse=True):
        if run.undoes(identity):
            return None
        if run.identity == identity:
            if any(event["event"] == "done" for event in run.events):
                return None
            return Unfinished(run.path, str(run.start["at"]), run.done())
    return None


def _runs(file: Path) -> list[_Run]:
    """The runs of a log: several when --log named the same file again."""
    found: list[_Run] = []
    for event in _events(file):
        if event["event"] == "start":
            found.append(_Run(file, event, []))
        elif found:
            found[-1].events.append(event)
    return found


def _events(file: Path) -> Iterator[dict[str, Any]]:
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue  # cut off by a kill in the middle of a write
        if isinstance(event, dict) and "event" in event:
            yield event
