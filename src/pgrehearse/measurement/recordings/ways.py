"""Records both ways of a change on fresh databases, and says whether the safe one was better."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pgrehearse.errors import DocumentError
from pgrehearse.execution.rehearser import Rehearser, check_form
from pgrehearse.measurement import traffic
from pgrehearse.measurement.rehearsals.rehearsal import Surprise
from pgrehearse.measurement.rehearsals.stage import Stage, on_stage
from pgrehearse.text.document import Cell, Document, load
from pgrehearse.text.project import Project
from pgrehearse.text.recordings import Recording, Way

__all__ = ["BETTER", "RecordedWays", "by_name", "record", "runbook_of"]

#: The longest wait of the safe way, times this, must not exceed that of the unsafe way.
BETTER = 2.0
#: Seconds of load before the first statement and after the last.
_LEAD = 1.0
_SLICES = 80


@dataclass(frozen=True)
class RecordedWays:
    """One recording on one server major.

    Attributes:
        problem: why it is red; empty when the safe way was clearly better and lost no request.
        facts: what every run must give again, by way, as JSON values.
        measured: durations and their conditions by way: published, never compared.
        seconds: wall time.
    """

    problem: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    measured: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


def by_name(documents: Iterable[Document]) -> dict[str, tuple[Document, Recording]]:
    """All recordings of ``documents``. Raises DocumentError for a name that stands twice."""
    found: dict[str, tuple[Document, Recording]] = {}
    for document in documents:
        for name, recording in document.front.recordings.items():
            if name in found:
                raise DocumentError(
                    f"recording {name!r} is declared by {found[name][0].path} too",
                    path=document.path,
                    next_step="choose another name: evidence has one file for each",
                )
            found[name] = document, recording
    return found


def runbook_of(project: Project, document: Document, way: Way) -> Document:
    """The runbook a way names. Raises DocumentError when there is none."""
    path = project.runbooks / f"{way.runbook}.md"
    found = load(path) if path.is_file() else None
    if found is None or not found.is_runbook:
        known = ", ".join(sorted(file.stem for file in project.runbooks.glob("*.md")))
        raise DocumentError(
            f"the way {way.name!r} of a recording names no runbook: {way.runbook!r}",
            path=project.relative(document.path),
            next_step=f"known: {known or 'none'}",
        )
    return found


def record(
    rehearser: Rehearser, document: Document, recording: Recording, major: int | None = None
) -> RecordedWays:
    """Record both ways of ``recording``, one after the other, each on a database of its own.

    Raises DocumentError when the form of the document is wrong, SetupError when there is no server.
    """
    check_form(document, rehearser.project)
    begun = time.monotonic()
    ways: dict[str, traffic.TrafficRecorded] = {}
    facts: dict[str, Any] = {}
    for way in recording.ways:
        try:
            requests, ways[way.name] = _way(rehearser, document, recording, way, major)
        except Surprise as surprise:
            return RecordedWays(f"the {way.name} way: {surprise}", seconds=time.monotonic() - begun)
        errors = ways[way.name].errors
        facts[way.name] = {"errors": errors, "requests": list(requests.words), "tables": requests.table}
    measured = {name: found.measured for name, found in ways.items()}
    return RecordedWays(_problem(ways["unsafe"], ways["safe"]), facts, measured, time.monotonic() - begun)


def _problem(unsafe: traffic.TrafficRecorded, safe: traffic.TrafficRecorded) -> str:
    if safe.errors:
        return f"requests failed in the safe way: {json.dumps(safe.failed)}"
    (bad, which_bad), (good, which_good) = unsafe.longest, safe.longest
    if good * BETTER <= bad:
        return ""
    return (
        f"the safe way is not clearly better: its longest wait, {which_good}, is {good:.0f} ms;"
        f" that of the unsafe way, {which_bad}, {bad:.0f} ms"
    )


def _way(
    rehearser: Rehearser, document: Document, recording: Recording, way: Way, major: int | None
) -> tuple[traffic.Requests, traffic.TrafficRecorded]:
    played = runbook_of(rehearser.project, document, way) if way.runbook else document
    if way.runbook:
        check_form(played, rehearser.project)
    with on_stage(rehearser, played, major, recording.rows) as stage:
        requests = traffic.requests_on(stage.server.dsn(stage.database), recording.tables)
        if isinstance(requests, str):
            raise Surprise(requests)
        cells = stage.forward if way.runbook else _named(stage, way)
        # How many rows a statement tells depends on the size; `pgrehearse test` compares the outputs.
        took: dict[str, int] = {}
        with stage.executor(stage.database, compare=bool(way.runbook)) as executor:

            def play(mark: Callable[[str], None]) -> None:
                for result in stage.watch(executor, cells, "under traffic", lambda c: mark(_title(c))):
                    name = _title(result.cell)
                    took[name] = took.get(name, 0) + round(result.seconds * 1000)

            found = traffic.record(stage.server, stage.database, requests, play, lead=_LEAD, slices=_SLICES)
    return requests, replace(found, measured={**found.measured, "took_ms": took})


def _named(stage: Stage, way: Way) -> list[Cell]:
    cells = {cell.options.name: cell for cell in stage.document.cells}
    return [cells[name] for name in way.cells]


def _title(cell: Cell) -> str:
    return cell.phase or cell.options.name or f"line {cell.line}"
