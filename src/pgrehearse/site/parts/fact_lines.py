"""What was measured, as a reader sees it: a line below each block of DDL, and the lock reference."""

from __future__ import annotations

from collections.abc import Sequence

from pgrehearse.majors import PREVIEW, label
from pgrehearse.measurement.evidence.cells import CellEvidence, StatementEvidence, cell_key
from pgrehearse.measurement.statement.facts import Facts
from pgrehearse.measurement.words import phrases
from pgrehearse.site.markup import render
from pgrehearse.text.document import Cell
from pgrehearse.text.statement import classify

__all__ = ["anchor", "fact_lines", "grouped", "majors_range"]


def anchor(cell: Cell) -> str:
    """The id a cell's block has on its page, so that what was measured can be linked to."""
    return f"measured-{cell_key(cell)}"


def fact_lines(evidence: CellEvidence | None) -> str:
    """HTML below a block: for each statement what it locks, rewrites and reads, and who waits."""
    if evidence is None or not evidence.statements:
        return ""
    several = len(evidence.statements) > 1
    lines = [
        {
            "statement": _shortened(statement.sql) if several else "",
            "said": "; ".join(phrases(facts, in_turn=classify(statement.sql).in_turn)),
            "majors": majors_range(majors),
            "each": " ".join(majors),
        }
        for statement in evidence.statements
        for majors, facts in grouped(statement)
    ]
    return render("fact_lines", lines=lines)


def _shortened(sql: str) -> str:
    return sql if len(sql) <= 60 else sql[:59] + "…"


def grouped(statement: StatementEvidence) -> list[tuple[list[str], Facts]]:
    """Majors that saw the same, together."""
    groups: list[tuple[list[str], Facts]] = []
    for major, facts in sorted(statement.facts.items()):
        same = next((group for group in groups if group[1].comparable() == facts.comparable()), None)
        if same is None:
            groups.append(([major], facts))
        else:
            same[0].append(major)
    return groups


def majors_range(majors: Sequence[str]) -> str:
    """``15–18`` for neighbors, ``15, 17`` for others; a preview by its version: ``15–18, 19rc1``."""
    previews = [label(major) for major in sorted(PREVIEW) if str(major) in majors]
    numbers = sorted(int(major) for major in majors if int(major) not in PREVIEW)
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return ", ".join([f"{numbers[0]}–{numbers[-1]}", *previews])
    return ", ".join([*map(str, numbers), *previews])
