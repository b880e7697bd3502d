"""Faults that are known and not mended yet: ``zoo/open.toml``, one table a runbook.

    [column-drop]
    json = "why it is open"               on every server
    "not_enforced 18" = "why it is open"  on one

A pair in it may be red; when it is green, the line is wrong and must go.
"""

from __future__ import annotations

import tomllib

from pgrehearse.errors import DocumentError
from pgrehearse.measurement.zoo.outcome import PairOutcome
from pgrehearse.measurement.zoo.shapes import folder
from pgrehearse.text.project import Project

__all__ = ["KnownFaults"]


class KnownFaults:
    """The known faults of ``project``. Raises DocumentError for a file that cannot be read."""

    def __init__(self, project: Project) -> None:
        path = folder(project) / "open.toml"
        try:
            text = path.read_text(encoding="utf-8") if path.is_file() else ""
            self._reasons: dict[str, dict[str, str]] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise DocumentError(
                f"cannot be read: {error}", path=path, next_step="write a table for each runbook"
            ) from None

    def reason(self, runbook: str, shape: str, major: int) -> str:
        """Why the pair may be red; empty when it may not."""
        own = self._reasons.get(runbook, {})
        return own.get(f"{shape} {major}", own.get(shape, ""))

    def problem(self, runbook: str, shape: str, major: int, outcome: PairOutcome) -> str:
        """What is wrong with ``outcome`` of a pair, in a sentence; empty when it is as it may be."""
        reason = self.reason(runbook, shape, major)
        said = f"{runbook} on {shape}, PostgreSQL {major}"
        if outcome.red and not reason:
            return f"{said}: {outcome.kind}: {outcome.words}"
        if reason and not outcome.red:
            return f"{said}: {outcome.kind}; take it out of zoo/open.toml, where it stands as: {reason}"
        return ""
