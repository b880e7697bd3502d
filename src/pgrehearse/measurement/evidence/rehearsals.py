"""Evidence of rehearsals: ``evidence/rehearsals/NAME.json``, one file a runbook, one entry a server major.

Facts are compared on every run. What was measured (durations, numbers of requests) stands apart, with its
conditions, and is never compared.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pgrehearse import sealed
from pgrehearse.clock import today
from pgrehearse.majors import number, outlived
from pgrehearse.measurement.evidence.differences import told
from pgrehearse.measurement.evidence.seals import broken
from pgrehearse.measurement.rehearsals.rehearsal import REHEARSALS, Rehearsal
from pgrehearse.text.document import Document
from pgrehearse.text.project import Project

__all__ = ["RehearsalEvidence", "RunbookEvidence", "changes", "file_of", "load", "outdated", "save", "stale"]


@dataclass(frozen=True)
class RehearsalEvidence:
    """The rehearsals of a runbook on one major.

    ``digest`` is of what the runbook carries out. ``facts`` maps a rehearsal to its ``status``, ``reason``
    and facts; ``measured`` maps it to its durations and their conditions.
    """

    version: str
    date: str
    digest: str
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    measured: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class RunbookEvidence:
    """``majors`` maps the server major as text to what was found on it."""

    runbook: str
    majors: Mapping[str, RehearsalEvidence] = field(default_factory=dict)


def file_of(project: Project, document: Document) -> Path:
    """Where the evidence of ``document`` is."""
    path = document.path.resolve()
    inside = path.is_relative_to(project.runbooks)
    name = path.relative_to(project.runbooks).as_posix() if inside else project.relative(path)
    return project.root / "evidence" / "rehearsals" / (name.removesuffix(".md").replace("/", ".") + ".json")


def load(project: Project, document: Document) -> RunbookEvidence:
    """The evidence of ``document``, an empty one when there is none. Raises DocumentError for a bad file."""
    file = file_of(project, document)
    if not file.is_file():
        return RunbookEvidence(project.relative(document.path))
    try:
        data = sealed.read(file)
        if data["runbook"] != project.relative(document.path):
            raise sealed.Broken(f"is of {data['runbook']}")
        majors = {major: RehearsalEvidence(**entry) for major, entry in data["majors"].items()}
        return RunbookEvidence(data["runbook"], majors)
    except (sealed.Broken, KeyError, TypeError, AttributeError) as error:
        raise broken(file, error, "delete it and run `pgrehearse rehearse --refresh`") from error


def save(
    project: Project, document: Document, major: int, version: str, results: Iterable[Rehearsal]
) -> Path:
    """Replace the rehearsals ``results`` in the entry of ``major``; the file is never half-written.

    Other rehearsals of that major stay only when they were of the same text.
    """
    evidence = load(project, document)
    digest = document.executed_digest
    old = evidence.majors.get(str(major))
    same = old is not None and old.digest == digest and old.version == version
    facts = dict(old.facts) if old is not None and same else {}
    measured = dict(old.measured) if old is not None and same else {}
    for result in results:
        facts[result.name] = _entry(result)
        measured[result.name] = {**result.measured, "seconds": round(result.seconds, 1)}
    majors = {**evidence.majors, str(major): RehearsalEvidence(version, today(), digest, facts, measured)}
    data = {
        "runbook": project.relative(document.path),
        "majors": {key: vars(majors[key]) for key in sorted(majors)},
    }
    return sealed.write(file_of(project, document), data, sort_keys=True)


def stale(document: Document, evidence: RunbookEvidence, majors: Collection[int]) -> list[str]:
    """What is missing or out of date for ``majors``, in sentences. Empty when the evidence can be shown."""
    problems = []
    for major in majors:
        entry = evidence.majors.get(str(major))
        if entry is None:
            problems.append(f"not rehearsed on PostgreSQL {major}")
        elif entry.digest != document.executed_digest:
            problems.append(f"the runbook changed since it was rehearsed on PostgreSQL {entry.version}")
        else:
            missing = [name for name in REHEARSALS if name not in entry.facts]
            problems += [f"the rehearsal {name!r} was not run on PostgreSQL {major}" for name in missing]
    return problems


def outdated(project: Project, document: Document) -> list[str]:
    """`stale` for every major there is evidence of; empty where the project keeps no such evidence."""
    if not document.is_runbook or not file_of(project, document).parent.is_dir():
        return []
    evidence = load(project, document)
    if not evidence.majors:
        return ["this runbook was never rehearsed in five ways"]
    return stale(document, evidence, [int(major) for major in evidence.majors])


def changes(
    document: Document, evidence: RunbookEvidence, version: str, results: Iterable[Rehearsal]
) -> list[str]:
    """Where ``results`` differ from the committed facts, one line each; durations are not looked at."""
    results = list(results)
    major = number(version)
    entry = evidence.majors.get(str(major))
    if entry is None:
        return [f"no evidence for PostgreSQL {major}"]
    lines = outlived(entry.version, version)
    if entry.digest != document.executed_digest:
        lines.append(f"stale: the runbook changed since it was rehearsed on PostgreSQL {entry.version}")
    for result in results:
        committed = entry.facts.get(result.name)
        if committed is None:
            lines.append(f"{result.name}: no evidence for PostgreSQL {major}")
            continue
        now = json.loads(json.dumps(_entry(result)))
        for key in sorted({*committed, *now}):
            if committed.get(key) != now.get(key):
                lines += told(f"{result.name}: {key}", committed.get(key), now.get(key))
    return lines


def _entry(result: Rehearsal) -> dict[str, Any]:
    return {**result.facts, "reason": result.reason, "status": result.status}
