"""A fact: known, with its value, when it was measured and how long that took; or unknown, and why.

There is no third way, so that nothing is empty and nothing is green because nobody looked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pgrehearse.findings import Finding

__all__ = ["Fact", "Known", "Level", "Unknown", "Value", "concern", "worst"]


class Level(StrEnum):
    """What a fact means for whoever looks, from harmless to worst."""

    WELL = "well"
    ATTENTION = "attention"  # it needs a person
    UNKNOWN = "unknown"


class Value(Protocol):
    """What a fact says."""

    @property
    def said(self) -> str:
        """In a few words."""
        ...

    @property
    def findings(self) -> Sequence[Finding]:
        """What of it needs a person; empty when all is well."""
        ...


@dataclass(frozen=True)
class Known:
    """``took``: seconds."""

    value: Value
    measured_at: datetime
    took: float

    @property
    def level(self) -> Level:
        return Level.ATTENTION if self.value.findings else Level.WELL

    @property
    def said(self) -> str:
        return self.value.said

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(self.value.findings)


@dataclass(frozen=True)
class Unknown:
    """``last_seen``: when it was last known to this project; None: never."""

    reason: str
    next_step: str = ""
    last_seen: datetime | None = None

    @property
    def level(self) -> Level:
        return Level.UNKNOWN

    @property
    def said(self) -> str:
        return self.reason

    @property
    def findings(self) -> tuple[Finding, ...]:
        return ()


Fact = Known | Unknown


def concern(message: str, next_step: str, *, about: str = "", statement: str = "") -> Finding:
    """Something that needs a person."""
    return Finding(message, kind="status", about=about, statement=statement, next_step=next_step)


def worst(levels: Iterable[Level]) -> Level:
    """The worst of ``levels``; unknown where there are none, for then nothing was looked at."""
    order = list(Level)
    return max(levels, key=order.index, default=Level.UNKNOWN)
