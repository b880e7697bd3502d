"""All rehearsals of one runbook on one server."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from pgrehearse.errors import PgRehearseError
from pgrehearse.execution.rehearser import Rehearser, check_form
from pgrehearse.measurement.rehearsals.interrupted import interrupted
from pgrehearse.measurement.rehearsals.plain import repeated, straight, undone
from pgrehearse.measurement.rehearsals.rehearsal import REHEARSALS, Rehearsal, Surprise
from pgrehearse.measurement.rehearsals.stage import Stage, on_stage
from pgrehearse.measurement.rehearsals.under_traffic import ROWS, under_traffic
from pgrehearse.text.document import Document

__all__ = ["rehearse"]

_SMALL: tuple[tuple[str, Callable[[Stage], Rehearsal]], ...] = (
    ("straight", straight),
    ("undone", undone),
    ("repeated", repeated),
    ("interrupted", interrupted),
)


def rehearse(
    rehearser: Rehearser,
    document: Document,
    major: int | None = None,
    only: Collection[str] = REHEARSALS,
    *,
    rows: int = ROWS,
) -> Iterator[Rehearsal]:
    """Rehearse ``document`` in the ways of ``only``; each result comes when it is there.

    ``rows`` is the size of the example data under traffic. What is not in ``only`` gives no result.
    Raises DocumentError when the document's form is wrong, SetupError when there is no server.
    """
    check_form(document, rehearser.project)
    wanted = [(name, way) for name, way in _SMALL if name in only]
    yield from _on_one_stage(rehearser, document, major, wanted, None)
    if "under traffic" in only:
        yield from _on_one_stage(rehearser, document, major, [("under traffic", under_traffic)], rows)


def _on_one_stage(
    rehearser: Rehearser,
    document: Document,
    major: int | None,
    ways: list[tuple[str, Callable[[Stage], Rehearsal]]],
    rows: int | None,
) -> Iterator[Rehearsal]:
    if not ways:
        return
    begun = time.monotonic()
    try:
        with on_stage(rehearser, document, major, rows) as stage:
            for name, way in ways:
                yield _timed(name, way, stage, begun)
                begun = time.monotonic()
    except Surprise as surprise:
        for name, _ in ways:
            yield Rehearsal(name, "failed", str(surprise), seconds=time.monotonic() - begun)


def _timed(name: str, way: Callable[[Stage], Rehearsal], stage: Stage, begun: float) -> Rehearsal:
    try:
        result = way(stage)
    except Surprise as surprise:
        result = Rehearsal(name, "failed", str(surprise))
    except PgRehearseError as error:
        if not stage.server.alive():
            raise
        result = Rehearsal(name, "failed", str(error))
    return replace(result, seconds=time.monotonic() - begun)
