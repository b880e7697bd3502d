"""When each fact of each database was last known, kept in the project between two looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from pgrehearse import sealed
from pgrehearse.errors import SetupError
from pgrehearse.status.fact import Fact, Known
from pgrehearse.status.snapshot import LookTarget
from pgrehearse.text.project import Project

__all__ = ["Memory"]


class Memory:
    """What was seen. A file that is gone, or is not as it was written, means that nothing was."""

    def __init__(self, project: Project) -> None:
        self._file: Path = project.records / "status" / "seen.json"
        self._seen: dict[str, dict[str, datetime]] = {}
        try:
            kept = sealed.read(self._file)
            for label, facts in kept["seen"].items():
                self._seen[label] = {name: datetime.fromisoformat(at) for name, at in facts.items()}
        except (sealed.Broken, ValueError, TypeError, KeyError, AttributeError):
            self._seen = {}

    def remembered(self, place: LookTarget, facts: dict[str, Fact]) -> dict[str, Fact]:
        """``facts``, where an unknown one says when it was last seen; the known ones are noted."""
        seen = self._seen.setdefault(place.label, {})
        seen |= {name: fact.measured_at for name, fact in facts.items() if isinstance(fact, Known)}
        return {
            name: fact if isinstance(fact, Known) else replace(fact, last_seen=seen.get(name))
            for name, fact in facts.items()
        }

    def keep(self) -> str:
        """Write it; why that could not be, empty when it could."""
        seen = {
            label: {name: at.isoformat() for name, at in facts.items()} for label, facts in self._seen.items()
        }
        try:
            sealed.write(self._file, {"seen": seen}, sort_keys=True)
        except SetupError as error:
            return str(error)
        return ""
