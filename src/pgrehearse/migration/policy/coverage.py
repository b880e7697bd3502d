"""How many statements of the checked files were measured, and why the others were not."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Coverage"]


@dataclass
class Coverage:
    """``measured`` of ``total`` statements; for the others the reason, and where they stand.

    ``remembered``: how many of them in an earlier run, of the same files.
    """

    total: int = 0
    measured: int = 0
    remembered: int = 0
    left: dict[str, list[str]] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def leave(self, place: str, reason: str, count: int) -> None:
        """``count`` statements at ``place`` were not measured."""
        if count:
            self.left.setdefault(reason, []).append(place)
            self._counts[reason] = self._counts.get(reason, 0) + count

    def said(self) -> str:
        """``8 of 10 statements``, and what was left out."""
        text = f"{self.measured} of {self.total} statement{'s' * (self.total != 1)}"
        told = [f"{self.remembered} in an earlier run"] if self.remembered else []
        told += map(self._told, self.left)
        return text + (f" ({'; '.join(told)})" if told else "")

    def to_json(self) -> dict[str, object]:
        """JSON types only."""
        return {
            "measured": self.measured,
            "statements": self.total,
            "before": self.remembered,
            "left": self.left,
        }

    def _told(self, reason: str) -> str:
        places = self.left[reason]
        where = f" at {places[0]}" if len(places) == 1 and ":" in places[0] else ""
        return f"{self._counts[reason]} left out{where}: {reason}"
