"""Evidence of the zoo: ``evidence/zoo.json``, how each runbook ended on each shape, on which majors.

It holds no durations: the same runbooks on the same shapes give the same file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pgrehearse import sealed
from pgrehearse.execution.records import text_digest
from pgrehearse.majors import number
from pgrehearse.measurement.evidence.seals import broken
from pgrehearse.measurement.zoo.outcome import PairOutcome
from pgrehearse.measurement.zoo.shapes import Shape
from pgrehearse.text.document import Document
from pgrehearse.text.project import Project

__all__ = ["ZooEvidence", "changes", "file_of", "load", "save"]

#: runbook, shape, major
Pair = tuple[str, str, str]


@dataclass(frozen=True)
class ZooEvidence:
    """What was found.

    Attributes:
        versions: major -> the server's version.
        digests: of what was carried out of runbooks, and of the shapes' texts, by ``kind/name`` and major.
        earlier: runbook -> major -> the shapes on which cells before those of ``digests`` were tried.
        titles: of the shapes.
        outcomes: of the pairs.
    """

    versions: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    earlier: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    outcomes: Mapping[Pair, PairOutcome] = field(default_factory=dict)

    def of(self, runbook: str) -> dict[str, dict[str, PairOutcome]]:
        """The outcomes of ``runbook``: shape -> major -> outcome."""
        found: dict[str, dict[str, PairOutcome]] = {}
        for (name, shape, major), outcome in sorted(self.outcomes.items()):
            if name == runbook:
                found.setdefault(shape, {})[major] = outcome
        return found

    def older(self, document: Document) -> dict[str, list[str]]:
        """Major -> the shapes on which other cells of ``document`` were tried; majors with any."""
        mine, name = document.executed_digest, document.path.stem
        found: dict[str, list[str]] = {}
        for major, digest in self.digests.get(f"runbook/{name}", {}).items():
            every = [shape for runbook, shape, where in self.outcomes if (runbook, where) == (name, major)]
            found[major] = sorted(self.earlier.get(name, {}).get(major, ()) if digest == mine else every)
        return {major: shapes for major, shapes in found.items() if shapes}


def file_of(project: Project) -> Path:
    """Where the evidence of ``project`` is."""
    return project.evidence / "zoo.json"


def load(project: Project) -> ZooEvidence:
    """What is committed, nothing where there is no file. Raises DocumentError for a bad file."""
    file = file_of(project)
    if not file.is_file():
        return ZooEvidence()
    try:
        data = sealed.read(file)
        outcomes = {
            (runbook, shape, major): PairOutcome(entry["outcome"], entry.get("words", ""))
            for runbook, shapes in data["pairs"].items()
            for shape, entries in shapes.items()
            for entry in entries
            for major in entry["majors"]
        }
        return ZooEvidence(
            data["versions"], data["digests"], data.get("earlier", {}), data["titles"], outcomes
        )
    except (sealed.Broken, KeyError, TypeError, AttributeError) as error:
        next_step = "delete it and run `pgrehearse rehearse --zoo --refresh`"
        raise broken(file, error, next_step) from error


def save(
    project: Project,
    version: str,
    documents: Iterable[Document],
    shapes: Iterable[Shape],
    results: Mapping[Pair, PairOutcome],
) -> Path:
    """Put ``results``, of all ``documents`` on all ``shapes`` on one server, in place of what was known."""
    documents, shapes = list(documents), list(shapes)
    known, major = load(project), str(number(version))
    names, kinds = {d.path.stem for d in documents}, {s.name for s in shapes}
    outcomes = {
        pair: outcome
        for pair, outcome in known.outcomes.items()
        if not (pair[0] in names and pair[1] in kinds and pair[2] == major)
    }
    earlier = {name: dict(value) for name, value in known.earlier.items()}
    for document in documents:
        name = document.path.stem
        left = set(known.older(document).get(major, ())) - kinds
        earlier.setdefault(name, {})[major] = sorted(left)
        earlier[name] = {where: shapes for where, shapes in earlier[name].items() if shapes}
    outcomes |= results
    digests = {key: dict(value) for key, value in known.digests.items()}
    for what, digest in (
        *((f"runbook/{d.path.stem}", d.executed_digest) for d in documents),
        *((f"shape/{s.name}", text_digest(s.text)) for s in shapes),
    ):
        digests.setdefault(what, {})[major] = digest
    data = {
        "versions": {**known.versions, major: version},
        "digests": digests,
        "earlier": {name: value for name, value in earlier.items() if value},
        "titles": {**known.titles, **{shape.name: shape.title for shape in shapes}},
        "pairs": _grouped(outcomes),
    }
    return sealed.write(file_of(project), data, sort_keys=True)


def changes(evidence: ZooEvidence, results: Mapping[Pair, PairOutcome]) -> list[str]:
    """Where ``results`` differ from what is committed, a line each."""
    lines = []
    for pair, outcome in sorted(results.items()):
        committed = evidence.outcomes.get(pair)
        now = _said(outcome)
        if committed is None or _said(committed) != now:
            was = _said(committed) if committed else "no evidence"
            lines.append(f"{pair[0]} on {pair[1]}, PostgreSQL {pair[2]}: {was} -> {now}")
    return lines


def _grouped(outcomes: Mapping[Pair, PairOutcome]) -> dict[str, dict[str, list[dict[str, object]]]]:
    """Majors with one outcome share an entry."""
    found: dict[str, dict[str, dict[tuple[str, str], list[str]]]] = {}
    for (runbook, shape, major), outcome in sorted(outcomes.items()):
        same = found.setdefault(runbook, {}).setdefault(shape, {})
        same.setdefault((outcome.kind, outcome.words), []).append(major)
    return {
        runbook: {
            shape: [
                {"majors": majors, "outcome": kind, **({"words": words} if words else {})}
                for (kind, words), majors in same.items()
            ]
            for shape, same in shapes.items()
        }
        for runbook, shapes in found.items()
    }


def _said(outcome: PairOutcome) -> str:
    return f"{outcome.kind}: {outcome.words}" if outcome.words else outcome.kind
