"""What a runbook was tried on: a box on its page, and the matrix of all runbooks and shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from pgrehearse.measurement.evidence.zoo import ZooEvidence, file_of, load
from pgrehearse.measurement.zoo.outcome import FAULTS, GREEN, PairOutcome
from pgrehearse.site.markup import render
from pgrehearse.site.parts.fact_lines import majors_range
from pgrehearse.text.document import Document
from pgrehearse.text.project import Project

__all__ = ["matrix", "tried_on"]

#: What stands in a cell of the matrix, the worst first.
_SIGNS = {**dict.fromkeys(FAULTS, "✗"), "refused": "–", "done": "✓"}


@dataclass(frozen=True)
class _Cell:
    sign: str
    words: str


def tried_on(project: Project, document: Document) -> str:
    """HTML box: how ``document`` ended on each shape; empty where it was tried on none."""
    evidence = load(project) if file_of(project).is_file() else ZooEvidence()
    found = evidence.of(document.path.stem)
    if not found:
        return ""
    majors = sorted({major for outcomes in found.values() for major in outcomes}, key=int)
    rows = [(evidence.titles.get(shape, shape), _lines(outcomes)) for shape, outcomes in found.items()]
    return render(
        "zoo",
        majors=majors_range(majors),
        sum=_sum(found),
        rows=rows,
        older=[(major, len(shapes)) for major, shapes in sorted(evidence.older(document).items())],
    )


def matrix(project: Project, documents: list[Document], link: Callable[[Document], str]) -> Markup:
    """HTML: how many ended how, and a table of shapes by runbooks."""
    evidence = load(project)
    found = {document.path.stem: evidence.of(document.path.stem) for document in documents}
    heads = [(link(document), document.path.stem) for document in documents if found[document.path.stem]]
    tried = [outcomes for outcomes in found.values() if outcomes]
    rows = [
        (title, [_cell(outcomes.get(shape, {})) for outcomes in tried])
        for shape, title in sorted(evidence.titles.items())
        if any(shape in outcomes for outcomes in tried)
    ]
    every = {
        f"{runbook} {shape}": by_major for runbook, of in found.items() for shape, by_major in of.items()
    }
    return render(
        "zoo_matrix",
        majors=majors_range(sorted(evidence.versions, key=int)),
        sum=_sum(every),
        shapes=len(rows),
        runbooks=len(heads),
        heads=heads,
        rows=rows,
        faults=FAULTS.items(),
    )


def _sum(found: Mapping[str, Mapping[str, PairOutcome]]) -> str:
    """``done on 40, refused on 20``, each pair by its worst major."""
    worst = [_worst(outcomes) for outcomes in found.values()]
    counts = [(kind, worst.count(kind)) for kind in (*GREEN, *FAULTS)]
    return ", ".join(f"{kind} on {count}" for kind, count in counts if count)


def _worst(outcomes: Mapping[str, PairOutcome]) -> str:
    kinds = {outcome.kind for outcome in outcomes.values()}
    return next(kind for kind in _SIGNS if kind in kinds)


def _lines(outcomes: Mapping[str, PairOutcome]) -> list[str]:
    """``done (15–18)``, ``refused (18): stop: ...``; one line where the majors agree."""
    same: dict[tuple[str, str], list[str]] = {}
    for major, outcome in sorted(outcomes.items(), key=lambda pair: int(pair[0])):
        same.setdefault((outcome.kind, outcome.words), []).append(major)
    return [
        f"{kind} ({majors_range(majors)})" + (f": {words}" if words else "")
        for (kind, words), majors in same.items()
    ]


def _cell(outcomes: Mapping[str, PairOutcome]) -> _Cell:
    if not outcomes:
        return _Cell("", "not tried")
    kinds: dict[str, list[str]] = {}
    for major, outcome in sorted(outcomes.items(), key=lambda pair: int(pair[0])):
        kinds.setdefault(outcome.kind, []).append(major)
    said = ", ".join(f"{kind} on {majors_range(majors)}" for kind, majors in kinds.items())
    return _Cell(_SIGNS[_worst(outcomes)], said)
