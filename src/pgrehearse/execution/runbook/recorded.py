"""What is recorded of a run: what it is about, and what it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Key", "RunRow", "RunWork", "Unfinished"]

#: Line of the cell, number of the statement (0: the whole cell), number of the generated statement or 0.
Key = tuple[int, int, int]


@dataclass(frozen=True)
class RunWork:
    """What a run is about; equal for runs of which one may go on where the other stopped.

    Attributes:
        runbook: name of its file.
        digest: of its text, the values and the phases.
        given: digest of the values.
        parameters: the values that may be shown.
    """

    runbook: str
    digest: str
    given: str
    parameters: Mapping[str, str]
    phases: Sequence[str]


@dataclass(frozen=True)
class RunRow:
    """A step, or a statement of one. ``outcome``: begun, done or failed."""

    key: Key
    phase: str
    digest: str
    outcome: str
    of_the_session: bool = False
    state: dict[str, Any] | None = None


@dataclass(frozen=True)
class Unfinished:
    """An earlier run of the same work in the same place that did not reach its end.

    Attributes:
        at: when it began.
        rows: what it did, in order.
    """

    at: str
    rows: tuple[RunRow, ...]

    @property
    def done(self) -> frozenset[int]:
        """Lines of the steps that are done as a whole."""
        return frozenset(row.key[0] for row in self.rows if row.key[1] == 0 and row.outcome == "done")

    @property
    def state(self) -> dict[str, Any]:
        """How its session differed from its beginning, after the last thing it did.

        What somebody undid is done again before later steps have made again what they have of the session:
        how the session is then says nothing about its end.
        """
        found: dict[str, Any] = {}
        latest = 0
        for row in self.rows:
            latest = max(latest, row.key[0] if row.of_the_session else 0)
            if row.state is not None and row.key[0] >= latest:
                found = row.state
        return found
