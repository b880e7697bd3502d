"""What a runbook on a shape gave."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FAULTS", "GREEN", "Fault", "PairOutcome"]

GREEN = ("done", "refused")
#: What is wrong, from what harms most to what harms least.
FAULTS = {
    "broken": "Verify said ok, and requests failed, values are wrong or a second run changes something",
    "undone wrongly": "Roll back left something behind, or took away what was there before",
    "stuck": "the run did not end by itself",
    "traces": "Preflight refused, and something was changed all the same",
    "refused late": "Preflight said ok, and Apply, Verify or Roll back failed",
}


@dataclass(frozen=True)
class PairOutcome:
    """How a pair ended: one of `GREEN` or `FAULTS`.

    ``words``: of Preflight when it refused, what is wrong when it is a fault; empty when it is done.
    """

    kind: str
    words: str = ""
    seconds: float = 0.0

    @property
    def red(self) -> bool:
        return self.kind not in GREEN


class Fault(Exception):
    """A pair is not what it must be. ``kind`` is one of `FAULTS`. Never leaves this package."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind
        self.words = words
