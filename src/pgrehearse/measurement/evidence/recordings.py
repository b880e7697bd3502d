"""Evidence of recordings: ``evidence/recordings/NAME.json``, one entry a server major.

Facts are compared on every run; what was measured stands apart, with its conditions, and never is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pgrehearse import sealed
from pgrehearse.clock import today
from pgrehearse.majors import number, outlived
from pgrehearse.measurement.evidence.differences import told
from pgrehearse.measurement.evidence.seals import broken
from pgrehearse.measurement.recordings.ways import RecordedWays, runbook_of
from pgrehearse.text.document import Document
from pgrehearse.text.project import Project
from pgrehearse.text.recordings import Recording

__all__ = ["RecordingEvidence", "changes", "digest", "file_of", "load", "save"]


@dataclass(frozen=True)
class RecordingEvidence:
    """One recording on one major. ``digest`` is of what was run; ``measured`` maps a way to its times."""

    version: str
    date: str
    digest: str
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    measured: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def digest(project: Project, document: Document, recording: Recording) -> str:
    """16 hex digits of what is run: rows, tables, cells with their options; not titles, labels or prose."""
    parts = [str(recording.rows), *recording.tables]
    cells = {cell.options.name: cell for cell in document.cells}
    for way in recording.ways:
        if way.runbook:
            parts += [way.name, runbook_of(project, document, way).executed_digest]
        else:
            named = [cells[name] for name in way.cells if name in cells]
            parts += [way.name, *(text for cell in named for text in (cell.info.strip(), cell.source))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def file_of(project: Project, name: str) -> Path:
    """Where the evidence of the recording ``name`` is."""
    return project.evidence / "recordings" / f"{name}.json"


def load(project: Project, name: str) -> dict[str, RecordingEvidence]:
    """Major as text -> what was found on it; empty without a file. Raises DocumentError for a bad one."""
    file = file_of(project, name)
    if not file.is_file():
        return {}
    try:
        data = sealed.read(file)
        return {major: RecordingEvidence(**entry) for major, entry in data["majors"].items()}
    except (sealed.Broken, KeyError, TypeError, AttributeError) as error:
        raise broken(file, error, "delete it and run `pgrehearse record --refresh`") from error


def save(
    project: Project, document: Document, recording: Recording, major: int, version: str, found: RecordedWays
) -> Path:
    """Replace the entry of ``major``."""
    entry = RecordingEvidence(
        version,
        today(),
        digest(project, document, recording),
        found.facts,
        found.measured,
    )
    majors = {**load(project, recording.name), str(major): entry}
    data = {
        "document": project.relative(document.path),
        "majors": {key: vars(majors[key]) for key in sorted(majors)},
    }
    return sealed.write(file_of(project, recording.name), data, sort_keys=True)


def changes(
    project: Project, document: Document, recording: Recording, version: str, found: RecordedWays
) -> list[str]:
    """Where ``found`` differs from the committed facts, one line each; durations are not looked at."""
    entry = load(project, recording.name).get(str(number(version)))
    if entry is None:
        return [f"no evidence for PostgreSQL {number(version)}"]
    lines = outlived(entry.version, version)
    if entry.digest != digest(project, document, recording):
        lines.append(f"stale: what is run changed since it was recorded on PostgreSQL {entry.version}")
    now = json.loads(json.dumps(found.facts))
    for way in sorted({*entry.facts, *now}):
        committed, fresh = entry.facts.get(way, {}), now.get(way, {})
        for key in sorted({*committed, *fresh}):
            if committed.get(key) != fresh.get(key):
                lines += told(f"{way}: {key}", committed.get(key), fresh.get(key))
    return lines
