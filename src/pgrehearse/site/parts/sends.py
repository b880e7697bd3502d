"""The statements that a runbook is about, for its first screen: what Apply sends for the examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pgrehearse.site.content.published import Published
from pgrehearse.site.parts.fact_lines import majors_range
from pgrehearse.text.document import Cell
from pgrehearse.text.statement import classify

__all__ = ["sends"]

#: A phone shows so much beside what it locks.
_MOST = 2
_LONGEST = 150


def sends(item: Published, steps: Sequence[Sequence[Cell]]) -> list[tuple[str, str, int]]:
    """Statement, majors that get it (empty: all), and number of its step. Empty where Apply sends no DDL."""
    if item.evidence is None or not item.evidence.measured:
        return []
    found = [
        (" ".join(sql.split()), majors, number)
        for number, cells in enumerate(steps)
        for cell in cells
        for sql, majors in _ddl(item, cell)
    ]
    # What a new build clears away is no reason to come here, unless it is all there is.
    made = [one for one in found if classify(one[0]).verb != "drop"] or found
    # What helps a constraint or a column that a block added, whose statements were not measured apart.
    if made and any(words in made[0][0] for words in ("VALIDATE CONSTRAINT", "CREATE TRIGGER")):
        return []
    first = {sql: (majors, number) for sql, majors, number in reversed(made)}
    return [
        (sql if len(sql) <= _LONGEST else f"{sql[:_LONGEST].rstrip()} …", majors, number)
        for sql, (majors, number) in list(reversed(first.items()))[:_MOST]
    ]


def _ddl(item: Published, cell: Cell) -> Iterator[tuple[str, str]]:
    """Statements with a lock, as the newest server got them, and its majors where others got none."""
    assert item.evidence is not None
    newest = max(item.evidence.measured, key=int)
    evidence = item.evidence.of(cell)
    for one in evidence.statements if evidence else ():
        if (
            newest in one.facts
            and one.facts[newest].locks
            and classify(one.sql).verb not in ("comment", "analyze")
        ):
            some = set(one.facts) != set(item.evidence.measured)
            yield one.sql, majors_range(sorted(one.facts, key=int)) if some else ""
