"""What a new major changes: statements whose facts differ from those on an older one."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from markupsafe import Markup

from pgrehearse.majors import label
from pgrehearse.measurement.words import phrases
from pgrehearse.site.content.headings import plain
from pgrehearse.site.content.published import Published
from pgrehearse.site.markup import render
from pgrehearse.site.parts.fact_lines import anchor
from pgrehearse.text.statement import classify

__all__ = ["changed"]


def changed(
    documents: Iterable[Published], older: int, newer: int, page_of: Callable[[Published], str]
) -> Markup:
    """HTML: how many statements were measured on both majors, and a row for each that did something else.

    ``page_of``: address of the page that shows a document; empty when none does.
    """
    both, rows = 0, []
    for item in documents:
        for cell in item.document.cells:
            found = item.evidence.of(cell) if item.evidence else None
            for statement in found.statements if found else ():
                before, now = (statement.facts.get(str(major)) for major in (older, newer))
                if before is None or now is None:
                    continue
                both += 1
                if before.comparable() != now.comparable():
                    in_turn = classify(statement.sql).in_turn
                    page = page_of(item)
                    rows.append(
                        {
                            "sql": " ".join(statement.sql.split()),
                            "before": "; ".join(phrases(before, in_turn=in_turn)),
                            "now": "; ".join(phrases(now, in_turn=in_turn)),
                            "title": plain(item.document.title),
                            "address": f"{page}#{anchor(cell)}" if page else "",
                        }
                    )
    return render("changed", both=both, rows=rows, older=label(older), newer=label(newer))
