"""What the records prove, as the table of the page about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from html import escape

from pgrehearse.site.content.published import Counts, Published, counts

__all__ = ["proof_table", "total_mark"]


def total_mark(total: Counts) -> str:
    """The sentence with the sum in an attribute, where the check of the built HTML finds it."""
    return (
        f'<p class="run-total" data-run-total="{total.blocks}"><strong>{escape(total.sentence)}.</strong></p>'
    )


def proof_table(documents: list[Published], page_of: Callable[[Published], str]) -> str:
    """Markdown: the sentence, then one row a server and one a document.

    ``page_of`` gives the link to the page that shows a document, empty when there is none.
    """
    shown = [item for item in documents if item.states or item.document.illustrations]
    if not shown:
        return total_mark(Counts()) + "\n"
    return "\n\n".join((total_mark(counts(shown)), _majors(shown), _documents(shown, page_of))) + "\n"


def _majors(documents: list[Published]) -> str:
    rows = []
    for major in sorted({major for item in documents for major in item.runs}, key=int):
        runs = [item.runs[major] for item in documents if major in item.runs]
        cells = [cell for run in runs for cell in run.cells]
        versions = ", ".join(sorted({run.version for run in runs}))
        dates = sorted(run.date[:10] for run in runs)
        when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
        passed = sum(cell.status == "passed" for cell in cells)
        skipped = Counter(cell.message for cell in cells if cell.status == "skipped")
        rows.append(f"| {versions} | {len(runs)} | {passed} | {_with_reasons(skipped)} | {_one_line(when)} |")
    head = "| PostgreSQL | documents | cells run | cells skipped | date |\n|---|--:|--:|---|---|"
    return "\n".join([head, *rows])


def _documents(documents: list[Published], page_of: Callable[[Published], str]) -> str:
    rows = []
    for item in documents:
        sums = counts([item])
        majors = ", ".join(sorted(item.runs, key=int)) or "none"
        page = page_of(item)
        title = item.document.title.replace("|", "\\|")
        name = f"[{title}]({page})" if page else f"`{item.name}`"
        skipped = _with_reasons(dict(sums.reasons))
        rows.append(
            f"| {name} | {sums.blocks} | {sums.run} | {sums.illustration} | {skipped} | {_one_line(majors)} |"
        )
    head = "| document | blocks | run | illustration | skipped | PostgreSQL |\n|---|--:|--:|--:|---|---|"
    return "\n".join([head, *rows])


def _one_line(text: str) -> str:
    return f'<span class="run-one-line">{text}</span>'


def _with_reasons(reasons: Mapping[str, int]) -> str:
    """``2 (needs PostgreSQL 17)``, with the numbers where there are several reasons."""
    why = "; ".join(
        reason if len(reasons) == 1 else f"{number} {reason}" for reason, number in reasons.items()
    )
    total = str(sum(reasons.values()))
    return f"{total} ({why})".replace("|", "\\|") if why else total
