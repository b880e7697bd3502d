"""Accept mode: the outputs a run gave become the expected ones, in the document itself.

A reviewed rewrite, never a silent one: the caller shows which lines changed, and runs the document again.
"""

from __future__ import annotations

from collections.abc import Iterable

from pgrehearse.errors import DocumentError
from pgrehearse.execution.output_match import matches, merge
from pgrehearse.execution.results import CellResult
from pgrehearse.text.document import Document

__all__ = ["accepted"]


def accepted(document: Document, results: Iterable[CellResult], major: int) -> tuple[str, list[int]]:
    """The document's text with each differing ``text`` fence rewritten, and the lines of those fences.

    Works from the bottom up, so that a rewrite does not move the lines of the next. Lines with ``...`` that
    still fit are kept. Cells that were skipped or did not run are left alone. Raises DocumentError for an
    output that no block can hold.
    """
    lines = document.text.split("\n")
    changed: list[int] = []
    for result in sorted(results, key=lambda r: r.cell.line, reverse=True):
        expected = result.cell.expected.on(major) if result.cell.expected else None
        if expected is None or result.status != "passed" or matches(expected.text, result.output):
            continue
        new = merge(expected.text, result.output)
        if any(line.lstrip().startswith("```") for line in new.split("\n")):
            raise DocumentError(
                "the new output holds a line that would end its block",
                path=document.path,
                line=expected.line,
                next_step="write ... in place of that line",
            )
        lines[expected.line : expected.end_line - 1] = new.split("\n") if new else []
        changed.append(expected.line)
    return "\n".join(lines), sorted(changed)
