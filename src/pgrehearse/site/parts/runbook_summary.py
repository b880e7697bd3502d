"""The first screen of a runbook: what each step locks and who waits, how to undo it, what was measured where.

Everything here is evidence: the facts of the cells of Apply, and the rehearsals. Nothing is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from markdown.extensions.toc import slugify, unique

from pgrehearse.measurement.evidence.rehearsals import RunbookEvidence
from pgrehearse.site.content.published import Published
from pgrehearse.site.parts.rehearsals import traffic, undo
from pgrehearse.site.parts.step_summary import STALE, UNMEASURED, StepSummary, outcomes
from pgrehearse.text.document import Cell, Document
from pgrehearse.text.fences import Heading

__all__ = ["Glance", "at_a_glance"]


@dataclass(frozen=True)
class _Step:
    title: str
    slug: str
    rows: tuple[StepSummary, ...]

    @property
    def link(self) -> str:
        """The number of the step as a link, its title where it has no number."""
        number = re.match(r"\d+", self.title)
        return f'<a href="#{escape(self.slug)}">{number[0] if number else escape(self.title)}</a>'


@dataclass(frozen=True)
class Glance:
    """HTML of a runbook's page: ``summary`` for the first screen, ``steps`` for the introduction's end."""

    summary: str = ""
    steps: str = ""


def at_a_glance(item: Published, rehearsals: RunbookEvidence | None) -> Glance:
    """What was measured of the runbook ``item``; empty where the project keeps no evidence."""
    if item.evidence is None or not item.evidence.measured:
        return Glance()
    steps = [_Step(title, slug, tuple(outcomes(item, cells))) for title, slug, cells in _cells(item.document)]
    hardest = max((row.strength for step in steps for row in step.rows), default=-1)
    lines = [
        ("Locks", _sum(steps, lambda row: row.hardest if row.strength == hardest else "", "no table")),
        ("Who waits", _sum(steps, lambda row: row.blocks, "nobody")),
        ("Work", _sum(steps, lambda row: row.grows, "changes the catalog only", rows=True)),
        ("Traffic", escape(traffic(rehearsals))),
        ("Undo", _undo(item.document, rehearsals)),
        ("Measured", escape(_versions(item))),
    ]
    facts = "".join(f"<div><dt>{name}</dt><dd>{text}</dd></div>" for name, text in lines)
    summary = f'<section class="run-glance" aria-label="At a glance, measured"><dl>{facts}</dl></section>'
    return Glance(summary, _table([step for step in steps if step.rows]))


def _sum(
    steps: Sequence[_Step], of: Callable[[StepSummary], str], nothing: str, *, rows: bool = False
) -> str:
    """HTML: each different value of the rows with the steps that have it, and what was not measured.

    ``nothing`` is said of the steps that were measured, beside those that were not. ``rows``: name the steps
    that change rows too.
    """
    gaps = {STALE: "not measured"} | ({UNMEASURED: "changes rows"} if rows else {})
    found: dict[str, list[str]] = {}
    for step in steps:
        for value in dict.fromkeys(of(row) for row in step.rows):
            if value:
                found.setdefault(value, []).append(step.link)
    parts = [f"{escape(value)} in {_listed(links)}" for value, links in found.items()]
    if not parts:
        parts = [nothing] if any(row.who for step in steps for row in step.rows) else []
        gaps = {STALE: "not measured", UNMEASURED: "not measured"}
    for said in dict.fromkeys(gaps.values()):
        of_gap = {lock for lock, words in gaps.items() if words == said}
        links = [step.link for step in steps if any(row.lock in of_gap for row in step.rows)]
        parts += [f"{said} in {_listed(links)}"] if links else []
    return "; ".join(parts or [nothing])


def _listed(links: Sequence[str]) -> str:
    return f"step{'s' if len(links) > 1 else ''} {', '.join(links)}"


def _table(steps: Sequence[_Step]) -> str:
    if not steps:
        return ""
    names = ("step", "strongest lock", "who waits", "work")
    heads = "".join(f'<th scope="col">{name}</th>' for name in names)
    rows = "".join(_html(step) for step in steps)
    return f'<table class="run-each run-stack"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'


def _cells(document: Document) -> Iterator[tuple[str, str, list[Cell]]]:
    """Title, anchor and cells of each step of Apply that has cells."""
    slugs = _slugs(document.headings)
    steps: dict[int, list[Cell]] = {}
    for cell in document.cells:
        if cell.phase == "Apply":
            at = max(i for i, heading in enumerate(document.headings) if heading.line < cell.line)
            steps.setdefault(at, []).append(cell)
    for at, cells in steps.items():
        yield _plain(document.headings[at].title), slugs[at], cells


def _slugs(headings: Sequence[Heading]) -> list[str]:
    """The anchors Markdown gives to these headings of one page. The check of links finds any difference."""
    taken: set[str] = set()
    return [unique(slugify(_plain(heading.title), "-"), taken) for heading in headings]


def _plain(title: str) -> str:
    return re.sub(r"\[([^\]]*)\]\([^)]*\)|[`*]", r"\1", title)


def _html(step: _Step) -> str:
    """The rows of a step; its name stands once."""
    lines = []
    for number, row in enumerate(step.rows):
        name = f'<a href="#{escape(step.slug)}">{escape(step.title)}</a>' if number == 0 else ""
        what = f"<small>{escape(', '.join(row.what))}</small>" if row.what and len(step.rows) > 1 else ""
        first = f'<th scope="row">{name}{what}</th>'
        cells = (("lock", row.lock), ("who waits", row.who), ("work", row.work))
        rest = "".join(f'<td data-run-label="{label}">{escape(text)}</td>' for label, text in cells)
        if not row.who:
            rest = f'<td colspan="3">{escape(row.lock)}</td>'
        lines.append(f"<tr>{first}{rest}</tr>")
    return "".join(lines)


def _undo(document: Document, rehearsals: RunbookEvidence | None) -> str:
    link = '<a href="#roll-back">Roll back</a>'
    if not any(heading.level == 2 and heading.title == "Roll back" for heading in document.headings):
        return "this runbook has no way back"
    return undo(document, rehearsals, link)


def _versions(item: Published) -> str:
    measured = item.evidence.measured if item.evidence else {}
    versions = ", ".join(measured[major].version for major in sorted(measured, key=int))
    dates = sorted({value.date for value in measured.values()})
    days = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    return f"PostgreSQL {versions}; {days}"
