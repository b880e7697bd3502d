"""What a runbook costs for each GB of its table: the work its steps were seen to do, at a machine's rates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgrehearse.majors import PREVIEW
from pgrehearse.measurement.evidence import rates as evidence
from pgrehearse.measurement.evidence.rates import RatesEvidence
from pgrehearse.measurement.rates import KINDS, kinds
from pgrehearse.measurement.words import lasting
from pgrehearse.site.content.published import Published
from pgrehearse.site.markup import render
from pgrehearse.text.document import Cell
from pgrehearse.text.project import Project
from pgrehearse.text.split import split
from pgrehearse.text.statement import classify, generated

__all__ = ["WorkCost", "costs", "newest", "rates_table"]

#: GB of the example.
_EXAMPLE = 100


@dataclass(frozen=True)
class WorkCost:
    """What each GB of the table costs by one kind of work. ``steps``: which do it, by number from 0."""

    text: str
    steps: tuple[int, ...]


def newest(project: Project) -> RatesEvidence | None:
    """The rates of the newest released major; None where the project measured none."""
    known = {int(major): entry for major, entry in evidence.load(project).items()}
    released = [major for major in known if major not in PREVIEW]
    return known[max(released)] if released else None


def costs(item: Published, steps: Sequence[Sequence[Cell]], found: RatesEvidence) -> list[WorkCost]:
    """What each kind of work in ``steps`` of ``item`` costs; empty where all change the catalog only."""
    major = found.version.split(".")[0]
    done = [{kind for cell in cells for kind in _kinds(item, cell, major)} for cells in steps]
    return [
        WorkCost(_text(found, kind), tuple(number for number, of_step in enumerate(done) if kind in of_step))
        for kind in KINDS
        if any(kind in of_step for of_step in done)
    ]


def rates_table(project: Project) -> str:
    """Each kind of work on each major that was measured, and the conditions. Empty without evidence."""
    known = evidence.load(project)
    if not known:
        return ""
    majors, last = sorted(known, key=int), known[max(known, key=int)]
    rows = [
        [
            f"to {kind.said}",
            *(f"{_figure(known[major].rates.seconds[name])} s" for major in majors),
            lasting(_EXAMPLE * last.rates.seconds[name]),
            f"{_figure(last.rates.disk[name])} GB" if name in last.rates.disk else "none",
        ]
        for name, kind in KINDS.items()
    ]
    names = ["each GB", *(f"on {major}" for major in majors), f"{_EXAMPLE} GB", "disk for each GB"]
    versions = ", ".join(known[major].version for major in majors)
    size = f"{last.rates.size >> 20} MB, {last.rates.rows:,} rows"
    conditions = (
        f"PostgreSQL {versions}; {last.cores} cores ({last.machine}), {last.date}; a table of {size}"
        " in memory, without fsync; the fastest of three runs."
    )
    return render("rates", names=names, rows=rows, conditions=conditions)


def _text(found: RatesEvidence, kind: str) -> str:
    """``24 s and 0.21 GB of disk to build an index``."""
    disk = found.rates.disk.get(kind)
    more = f" and {_figure(disk)} GB of disk" if disk else ""
    return f"{_figure(found.rates.seconds[kind])} s{more} to {KINDS[kind].said}"


def _figure(value: float) -> str:
    """Two digits that mean something, or all before the point."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _kinds(item: Published, cell: Cell, major: str) -> Iterator[str]:
    known = item.evidence.of(cell) if item.evidence else None
    for statement in known.statements if known else ():
        if major in statement.facts:
            yield from kinds(statement.facts[major])
    # A walk over rows is a call of a procedure; what it changes is no DDL, and so not measured apart.
    if any(kind.verb == "call" for one in split(cell.source) for kind in (classify(one), *generated(one))):
        yield "batches"
