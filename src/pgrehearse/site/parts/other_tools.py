"""Whether a runbook's change was executed with tools of others too, and where a site shows that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pgrehearse import sealed
from pgrehearse.measurement.evidence.seals import broken
from pgrehearse.text.project import Project

__all__ = ["OtherTools", "other_tools"]


@dataclass(frozen=True)
class OtherTools:
    """``tools``: their names with versions. ``address``: of the page that shows it."""

    tools: str
    address: str


def other_tools(project: Project, runbook: str, address: str) -> OtherTools | None:
    """What was executed of ``runbook``; None where nothing was, or no page shows it. Raises DocumentError."""
    file = project.evidence / "other-tools.json"
    if not address or not file.is_file():
        return None
    try:
        known: dict[str, Any] = sealed.read(file)["tools"]
        done = [name for name, tool in known.items() if runbook in tool["changes"]]
    except (sealed.Broken, KeyError, TypeError, AttributeError) as error:
        next_step = "execute them again: .venv/bin/python tools/other_tools.py --refresh"
        raise broken(file, error, next_step) from error
    said = ", ".join(f"{known[name]['title']} {known[name]['version']}" for name in done)
    return OtherTools(said, address) if done else None
