"""The first screen of a runbook: what each step locks and who waits, how to undo it, what was measured where.

Everything here is evidence, or follows from it: the facts of the cells of Apply, and the rehearsals. Nothing
is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pgrehearse.measurement.evidence.rates import RatesEvidence
from pgrehearse.measurement.evidence.rehearsals import RunbookEvidence
from pgrehearse.site.content.headings import anchors, plain
from pgrehearse.site.content.published import Published
from pgrehearse.site.markup import render
from pgrehearse.site.parts.bystanders import beside
from pgrehearse.site.parts.cost import costs
from pgrehearse.site.parts.other_tools import OtherTools
from pgrehearse.site.parts.rehearsals import WayBack, traffic, way_back
from pgrehearse.site.parts.sends import sends
from pgrehearse.site.parts.step_summary import STALE, UNMEASURED, StepSummary, outcomes
from pgrehearse.text.document import Cell, Document

__all__ = ["Glance", "at_a_glance"]


@dataclass(frozen=True)
class _Step:
    title: str
    anchor: str
    rows: tuple[StepSummary, ...]

    @property
    def number(self) -> str:
        """What a link to the step says: its number, its title where it has none."""
        number = re.match(r"\d+", self.title)
        return number[0] if number else self.title


@dataclass(frozen=True)
class _Said:
    """A text, and the steps it is true of: of all without any."""

    text: str
    steps: tuple[_Step, ...] = ()


@dataclass(frozen=True)
class Glance:
    """HTML of a runbook's page: ``summary`` for the first screen, ``steps`` for the introduction's end."""

    summary: str = ""
    steps: str = ""


def at_a_glance(
    item: Published,
    rehearsals: RunbookEvidence | None,
    rates: RatesEvidence | None = None,
    counting: str = "",
    others: OtherTools | None = None,
) -> Glance:
    """What was measured of the runbook ``item``; empty where the project keeps no evidence.

    ``rates``: what a machine takes for each GB, where that was measured. ``counting``: the address, on the
    page, of how to reckon with them; empty without one. ``others``: tools it was executed with too.
    """
    if item.evidence is None or not item.evidence.measured:
        return Glance()
    found = list(_cells(item.document))
    steps = [_Step(title, anchor, tuple(outcomes(item, cells))) for title, anchor, cells in found]
    spent = costs(item, [cells for _, _, cells in found], rates) if rates else []
    hardest = max((row.strength for step in steps for row in step.rows), default=-1)
    lines = [
        ("Locks", _sum(steps, lambda row: row.hardest if row.strength == hardest else "", "no table")),
        ("Who waits", _sum(steps, lambda row: row.blocks, "nobody")),
        ("Work", _sum(steps, lambda row: row.grows, "changes the catalog only, for an instant", rows=True)),
    ]
    summary = render(
        "runbook_summary",
        sent=[
            (sql, majors, steps[number])
            for sql, majors, number in sends(item, [cells for _, _, cells in found])
        ],
        lines=lines,
        costs=[_Said(cost.text, tuple(steps[number] for number in cost.steps)) for cost in spent],
        rates=rates,
        counting=counting,
        others=others,
        traffic=traffic(rehearsals),
        undo=_undo(item.document, rehearsals),
        beside=list(beside(item.document, [row for step in steps for row in step.rows])),
        versions=_versions(item),
    )
    shown = [step for step in steps if step.rows]
    return Glance(summary, render("runbook_summary_steps", steps=shown) if shown else "")


def _sum(
    steps: Sequence[_Step], of: Callable[[StepSummary], str], nothing: str, *, rows: bool = False
) -> list[_Said]:
    """Each different value of the rows with the steps that have it, and what was not measured.

    ``nothing`` is said of the steps that were measured, beside those that were not. ``rows``: name the steps
    that change rows too.
    """
    found: dict[str, list[_Step]] = {}
    for step in steps:
        for value in dict.fromkeys(of(row) for row in step.rows):
            if value:
                found.setdefault(value, []).append(step)
    parts = [_Said(value, tuple(of_value)) for value, of_value in found.items()]
    locks = {row.lock for step in steps for row in step.rows}
    gaps = {STALE: "not measured"}
    if rows:
        gaps[UNMEASURED] = "changes rows"
    elif not parts:
        gaps[UNMEASURED] = "not measured"
    if (
        not parts
        and any(row.who for step in steps for row in step.rows)
        and not (rows and UNMEASURED in locks)
    ):
        parts = [_Said(nothing)]
    for said in dict.fromkeys(gaps.values()):
        of_gap = {lock for lock, words in gaps.items() if words == said}
        without = tuple(step for step in steps if any(row.lock in of_gap for row in step.rows))
        parts += [_Said(said, without)] if without else []
    return parts or [_Said(nothing)]


def _cells(document: Document) -> Iterator[tuple[str, str, list[Cell]]]:
    """Title, anchor and cells of each step of Apply that has cells."""
    places = anchors(document.headings)
    steps: dict[int, list[Cell]] = {}
    for cell in document.cells:
        if cell.phase == "Apply":
            at = max(i for i, heading in enumerate(document.headings) if heading.line < cell.line)
            steps.setdefault(at, []).append(cell)
    for at, cells in steps.items():
        yield plain(document.headings[at].title), places[at], cells


def _undo(document: Document, rehearsals: RunbookEvidence | None) -> WayBack | None:
    there = any(heading.level == 2 and heading.title == "Roll back" for heading in document.headings)
    return way_back(document, rehearsals) if there else None


def _versions(item: Published) -> str:
    measured = item.evidence.measured if item.evidence else {}
    versions = ", ".join(measured[major].version for major in sorted(measured, key=int))
    dates = sorted({value.date for value in measured.values()})
    days = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    return f"PostgreSQL {versions}; {days}"
