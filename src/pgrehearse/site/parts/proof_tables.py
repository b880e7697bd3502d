"""What the records prove, as the tables of the page about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from markupsafe import Markup

from pgrehearse.site.content.headings import plain
from pgrehearse.site.content.published import Published, counts
from pgrehearse.site.markup import render

__all__ = ["proof_table"]


def proof_table(documents: list[Published], page_of: Callable[[Published], str]) -> Markup:
    """HTML: the sentence, then one row a server and one a document.

    ``page_of``: address of the page that shows a document, empty when there is none. The sum stands in an
    attribute of the sentence, where the check of the built HTML finds it.
    """
    shown = [item for item in documents if item.states or item.document.illustrations]
    return render(
        "proof",
        total=counts(shown),
        servers=_servers(shown),
        documents=[_document(item, page_of(item)) for item in shown],
    )


def _servers(documents: list[Published]) -> list[dict[str, object]]:
    rows = []
    for major in sorted({major for item in documents for major in item.runs}, key=int):
        runs = [item.runs[major] for item in documents if major in item.runs]
        cells = [cell for run in runs for cell in run.cells]
        dates = sorted(run.date[:10] for run in runs)
        row = {
            "versions": ", ".join(sorted({run.version for run in runs})),
            "documents": len(runs),
            "run": sum(cell.status == "passed" for cell in cells),
            "skipped": _with_reasons(Counter(cell.message for cell in cells if cell.status == "skipped")),
            "date": dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}",
        }
        rows.append(row)
    return rows


def _document(item: Published, page: str) -> dict[str, object]:
    sums = counts([item])
    return {
        "name": item.name,
        "page": page,
        "title": plain(item.document.title),
        "counts": sums,
        "skipped": _with_reasons(dict(sums.reasons)),
        "majors": ", ".join(sorted(item.runs, key=int)) or "none",
    }


def _with_reasons(reasons: Mapping[str, int]) -> str:
    """``2 (needs PostgreSQL 17)``, with the numbers where there are several reasons."""
    why = "; ".join(
        reason if len(reasons) == 1 else f"{number} {reason}" for reason, number in reasons.items()
    )
    total = str(sum(reasons.values()))
    return f"{total} ({why})" if why else total
