"""What one rehearsal of a runbook gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["REHEARSALS", "Rehearsal", "Surprise"]

#: The five rehearsals, in the order they are run and shown.
REHEARSALS = ("straight", "undone", "repeated", "interrupted", "under traffic")


@dataclass(frozen=True)
class Rehearsal:
    """One rehearsal of one runbook on one server.

    Attributes:
        name: one of `REHEARSALS`.
        status: ``passed``, ``failed``, ``not run``, or ``not undoable`` (of ``undone`` only).
        reason: why it failed, was not run or cannot be undone; empty when it passed.
        facts: what every run must give again, as JSON values.
        measured: durations and their conditions: published, never compared.
        seconds: wall time of the rehearsal.
    """

    name: str
    status: str
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    measured: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def red(self) -> bool:
        return self.status == "failed"


class Surprise(Exception):
    """A rehearsal found what must not be; the text says what. Never leaves this package."""
