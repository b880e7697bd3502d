"""How a runbook behaved in its five rehearsals: a box on its page, and the matrix of all runbooks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pgrehearse.errors import DocumentError
from pgrehearse.measurement.evidence.rehearsals import RunbookEvidence, load
from pgrehearse.measurement.rehearsals.rehearsal import REHEARSALS
from pgrehearse.site.content.headings import plain
from pgrehearse.site.markup import render
from pgrehearse.site.parts import timelines
from pgrehearse.site.parts.fact_lines import majors_range
from pgrehearse.text.document import Document
from pgrehearse.text.project import Project

__all__ = ["WayBack", "current", "matrix", "rehearsed", "traffic", "way_back"]

_MEANINGS = {
    "straight": "set up, checked, applied, verified",
    "undone": "applied and rolled back: the same dump as before",
    "repeated": "applied twice: the second time changed nothing",
    "interrupted": "killed after each step and during each statement that could be made to wait, run again",
    "under traffic": "readers and writers at a fixed rate, counted from the time they were due",
}


@dataclass(frozen=True)
class WayBack:
    """What is said of a runbook's Roll back, around the link to it."""

    before: str
    after: str


def current(project: Project, document: Document, *, draft: bool) -> RunbookEvidence | None:
    """The evidence of a runbook, None where the project keeps none.

    Raises DocumentError when it is missing or belongs to an older text, unless this is a draft.
    """
    if not (project.evidence / "rehearsals").is_dir():
        return None
    found = load(project, document)
    digest = document.executed_digest
    fresh = {major: entry for major, entry in found.majors.items() if entry.digest == digest}
    if not draft and (not fresh or len(fresh) < len(found.majors)):
        what = "changed since it was rehearsed" if found.majors else "was never rehearsed in five ways"
        raise DocumentError(
            f"this runbook {what}",
            path=project.relative(document.path),
            next_step=f"pgrehearse rehearse {document.path.stem} --pg all --refresh",
        )
    return RunbookEvidence(found.runbook, fresh)


def rehearsed(project: Project, document: Document, *, draft: bool) -> str:
    """HTML box: the outcome of each rehearsal, versions and date, and the newest recording of traffic."""
    evidence = current(project, document, draft=draft)
    if evidence is None or not evidence.majors:
        return ""
    return render(
        "rehearsals",
        majors=majors_range(sorted(evidence.majors)),
        date=max(entry.date for entry in evidence.majors.values()),
        sum=_sum(evidence),
        rows=[(name, _outcome(evidence, name), _MEANINGS[name]) for name in REHEARSALS],
        traffic=timelines.newest(evidence.majors),
    )


def matrix(
    project: Project, documents: list[Document], link: Callable[[Document], str], *, draft: bool
) -> Markup:
    """HTML table: runbooks by rehearsals, what came out on which majors. A cell that was not run says so."""
    rows = []
    for document in documents:
        evidence = current(project, document, draft=draft)
        if evidence is None:
            continue
        outcomes = [_outcome(evidence, name, reasons=False) for name in REHEARSALS]
        rows.append((link(document), plain(document.title), [*outcomes, _worst(evidence)]))
    return render("rehearsals_matrix", heads=("runbook", *REHEARSALS, "worst request"), rows=rows)


def _outcome(evidence: RunbookEvidence, name: str, *, reasons: bool = True) -> str:
    """``passed 15–18``; several outcomes side by side; ``not run`` where there is none."""
    groups: dict[str, list[str]] = {}
    for major, entry in sorted(evidence.majors.items()):
        facts = entry.facts.get(name, {"status": "not run", "reason": ""})
        said = str(facts["status"]) + (f": {facts['reason']}" if reasons and facts.get("reason") else "")
        groups.setdefault(said, []).append(major)
    if not groups:
        return "not run"
    return "; ".join(f"{said} ({majors_range(majors)})" for said, majors in groups.items())


def _sum(evidence: RunbookEvidence) -> str:
    """``all passed``, or what else there is: ``4 passed, 1 not undoable``, the worst outcome of each."""
    order = ("failed", "not run", "not undoable", "passed")
    worst = []
    for name in REHEARSALS:
        found = {
            str(entry.facts.get(name, {"status": "not run"})["status"]) for entry in evidence.majors.values()
        }
        worst.append(min(found, key=order.index))
    if set(worst) == {"passed"}:
        return "all passed"
    return ", ".join(f"{worst.count(status)} {status}" for status in reversed(order) if status in worst)


def _loads(evidence: RunbookEvidence) -> list[tuple[str, dict[str, Any]]]:
    """Major and load of each recording under traffic, the newest major last."""
    found = (
        (major, dict(entry.measured.get("under traffic", {})))
        for major, entry in sorted(evidence.majors.items(), key=lambda pair: int(pair[0]))
    )
    return [(major, load) for major, load in found if "conditions" in load]


def _worst(evidence: RunbookEvidence) -> str:
    loads = [load for _, load in _loads(evidence)]
    values = [load[kind]["worst_ms"] for load in loads for kind in ("reads", "writes") if kind in load]
    measured = [value for value in values if value is not None]
    return f"{max(measured):.0f} ms" if measured else "not run"


def traffic(evidence: RunbookEvidence | None) -> str:
    """The slowest read and the slowest write of all majors, with the conditions they hold for."""
    if evidence is None:
        return "not run"
    loads = _loads(evidence)
    if not loads:
        return _outcome(evidence, "under traffic")
    slowest = []
    for kind, word in (("reads", "read"), ("writes", "write")):
        values = [
            load[kind]["worst_ms"] for _, load in loads if load.get(kind, {}).get("worst_ms") is not None
        ]
        if values:
            slowest.append(f"slowest {word} {max(values):.0f} ms")
    conditions = loads[-1][1]["conditions"]
    rate = " and ".join(
        f"{conditions[key]:.0f} {key.partition('_')[0]}"
        for key in ("reads_per_second", "writes_per_second")
        if key in conditions
    )
    where = [f"{rate} a second"] if rate else []
    where += [f"{conditions['rows']:,} rows", f"{conditions['cores']} cores"]
    return (
        f"{', '.join(slowest) or 'no request finished'}, with {', '.join(where)}"
        f" (PostgreSQL {majors_range([major for major, _ in loads])})"
    )


def way_back(document: Document, evidence: RunbookEvidence | None) -> WayBack:
    """Whether a runbook's Roll back undoes it, as its rehearsal found."""
    results = {
        major: entry.facts["undone"]
        for major, entry in sorted(evidence.majors.items() if evidence else ())
        if "undone" in entry.facts
    }
    passed = [major for major, facts in results.items() if facts["status"] == "passed"]
    if document.front.undo:
        return WayBack(f"not undoable: {document.front.undo}. See ", "")
    if evidence is None or not results:
        return WayBack("", "; not rehearsed")
    if len(passed) == len(results):
        same = f"the dumps are the same (PostgreSQL {majors_range(passed)})"
        return WayBack("", f" restores schema and data: {same}")
    return WayBack("", f"; {_outcome(evidence, 'undone')}")
