"""How a runbook behaved in its five rehearsals: a box on its page, and the matrix of all runbooks."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from pgrehearse.errors import DocumentError
from pgrehearse.execution.records import text_digest
from pgrehearse.measurement.rehearsals.evidence import MajorEvidence, RunbookEvidence, load
from pgrehearse.measurement.rehearsals.results import REHEARSALS
from pgrehearse.site import timelines
from pgrehearse.site.facts import majors_range
from pgrehearse.text.document import Document
from pgrehearse.text.project import Project

__all__ = ["matrix", "rehearsed"]

_MEANINGS = {
    "straight": "set up, checked, applied, verified",
    "undone": "applied and rolled back: the same dump as before",
    "repeated": "applied twice: the second time changed nothing",
    "interrupted": "killed after each step and during each statement that could be made to wait, run again",
    "under traffic": "readers and writers at a fixed rate, counted from the time they were due",
}


def current(project: Project, document: Document, *, draft: bool) -> RunbookEvidence | None:
    """The evidence of a runbook, None where the project keeps none.

    Raises DocumentError when it is missing or belongs to an older text, unless this is a draft.
    """
    if not (project.evidence / "rehearsals").is_dir():
        return None
    found = load(project, document)
    digest = text_digest(document.text)
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
    """HTML box: the outcome of each rehearsal, versions and date, and the worst requests under traffic."""
    evidence = current(project, document, draft=draft)
    if evidence is None or not evidence.majors:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{name}</th><td>{escape(_outcome(evidence, name))}</td>'
        f"<td>{escape(_MEANINGS[name])}</td></tr>"
        for name in REHEARSALS
    )
    dates = sorted({entry.date for entry in evidence.majors.values()})
    versions = majors_range(sorted(evidence.majors))
    summary = f"Rehearsed in five ways on PostgreSQL {versions}, {dates[-1]}. {_traffic(evidence)}"
    return (
        f'<details class="run-rehearsed"><summary>{escape(summary)}</summary>'
        f"<table><tbody>{rows}</tbody></table>{timelines.newest(evidence.majors)}</details>"
    )


def matrix(
    project: Project, documents: list[Document], link: Callable[[Document], str], *, draft: bool
) -> str:
    """HTML table: runbooks by rehearsals, what came out on which majors. A cell that was not run says so."""
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("runbook", *REHEARSALS, "worst request"))
    body = ""
    for document in documents:
        evidence = current(project, document, draft=draft)
        if evidence is None:
            continue
        page = link(document)
        title = escape(document.title)
        cells = "".join(f"<td>{escape(_outcome(evidence, name, reasons=False))}</td>" for name in REHEARSALS)
        name = f'<a href="{escape(page)}">{title}</a>' if page else title
        body += f'<tr><th scope="row">{name}</th>{cells}<td>{escape(_worst(evidence))}</td></tr>'
    return f'<table class="run-locks"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>\n'


def _outcome(evidence: RunbookEvidence, name: str, *, reasons: bool = True) -> str:
    """``passed 15–18``; several outcomes side by side; ``not run`` where there is none."""
    groups: dict[str, list[str]] = {}
    for major, entry in sorted(evidence.majors.items()):
        facts = entry.facts.get(name, {"status": "not run", "reason": ""})
        said = str(facts["status"]) + (f": {facts['reason']}" if reasons and facts.get("reason") else "")
        groups.setdefault(said, []).append(major)
    if not groups:
        return "not run"
    if len(groups) == 1:
        said, majors = next(iter(groups.items()))
        return f"{said} ({majors_range(majors)})"
    return "; ".join(f"{said} ({majors_range(majors)})" for said, majors in groups.items())


def _loads(evidence: RunbookEvidence) -> list[tuple[MajorEvidence, dict[str, Any]]]:
    found = ((entry, dict(entry.measured.get("under traffic", {}))) for entry in evidence.majors.values())
    return [(entry, load) for entry, load in found if "conditions" in load]


def _worst(evidence: RunbookEvidence) -> str:
    loads = [load for _, load in _loads(evidence)]
    values = [load[kind]["worst_ms"] for load in loads for kind in ("reads", "writes") if kind in load]
    measured = [value for value in values if value is not None]
    return f"{max(measured):.0f} ms" if measured else "not run"


def _traffic(evidence: RunbookEvidence) -> str:
    """The worst requests on the newest major, with the conditions they hold for."""
    loads = sorted(_loads(evidence), key=lambda pair: pair[0].version)
    if not loads:
        return "Not run under traffic."
    entry, load = loads[-1]
    conditions = load["conditions"]
    parts = [
        f"worst {word} {load[kind]['worst_ms']:.0f} ms"
        for kind, word in (("reads", "read"), ("writes", "write"))
        if load.get(kind, {}).get("worst_ms") is not None
    ]
    return (
        f"Under traffic on {conditions['rows']:,} rows: {', '.join(parts)}"
        f" (PostgreSQL {entry.version}, {conditions['cores']} cores)."
    )
