"""What looks like a cell or like its output, and was neither run nor compared.

From a cell to the next cell or heading, a block of text is its output to a reader, whatever stands between.
Only the ``text`` fence right after the cell is compared. Any other is refused there, unless its header says
what it is, as that of an illustration does: ``{.text .noeval title="On another server"}``.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pgrehearse.findings import Finding
from pgrehearse.text.document import Document
from pgrehearse.text.fenced_blocks import Fence, comment_lines, outside
from pgrehearse.text.flaws import flaw
from pgrehearse.text.taken_for import looks_printed, taken_for

__all__ = ["flaws", "is_shown"]

_SHOWN = re.compile(r'\{\.[\w+-]+ \.noeval(?: \w+="[^"{}]*")* title="[^"{}]+"(?: \w+="[^"{}]*")*\}')
_INDENTED = re.compile(r"(?: {4}|\t)[ \t]*\S")
#: What indented lines below it belong to.
_OWNER = re.compile(r"\s*(?:[-*+]\s|\d+[.)]\s|!!!|\?\?\?|===|\[\^|:\s|///|<)")
#: HTML that keeps its lines or is highlighted.
_HTML = re.compile(
    r"<(?P<tag>pre|xmp|listing|samp|textarea|plaintext)\b(?![^>]*\btitle=\"[^\"]+\")"
    r"|<(?P<marked>[a-z][\w-]*)\b[^>]*\b(?:class=[\"']?[^\"'>]*\b(?:highlight|language-|lang-|codehilite|hljs"
    r"|prettyprint|shiki|prism)|style=[\"']?[^\"'>]*\b(?:white-space:\s*(?:pre|break)|monospace))",
    re.I,
)
_INLINE = re.compile(r"`+\s*(?:#!|:::)(?P<language>[\w+#-]+)\s")


@dataclass(frozen=True)
class _Below:
    """What stands below a cell or an illustration: lines after ``begin``, before ``end``, of the file."""

    begin: int
    end: int
    runs: bool


def is_shown(fence: Fence) -> bool:
    """Whether the header of the fence says that it is only shown, and why."""
    return _SHOWN.fullmatch(fence.info.strip()) is not None


def flaws(document: Document) -> Iterator[Finding]:
    """Everything in the document that passes for a cell or for its output."""
    lines = document.text.split("\n")
    fences = list(document.fences)
    hidden = comment_lines(lines, fences)
    texts = [(number, text) for number, text in outside(lines, fences) if number not in hidden]
    yield from _code_elsewhere(texts)
    numbers, starts = [number for number, _ in texts], [fence.line for fence in fences]
    for below in _below_cells(document, len(lines)):
        between = texts[bisect_right(numbers, below.begin) : bisect_left(numbers, below.end)]
        within = fences[bisect_right(starts, below.begin) : bisect_left(starts, below.end)]
        first = next((number for number, text in between if text.strip()), below.end)
        yield from _blocks(within, first, below)
        yield from _indented(between)


def _below_cells(document: Document, end: int) -> Iterator[_Below]:
    cells = {cell.line: cell for cell in document.cells}
    shown = {illustration.line for illustration in document.illustrations}
    ends = {fence.line: fence.end_line or end for fence in document.fences}
    marks = sorted({*cells, *shown, *(heading.line for heading in document.headings), end + 1})
    for mark, following in pairwise(marks):
        if mark in cells:
            expected = cells[mark].expected
            last = [one.line for one in expected.all()][-1] if expected else mark
            yield _Below(ends[last], following, True)
        elif mark in shown:
            yield _Below(ends[mark], following, False)


def _blocks(fences: Sequence[Fence], first_text: int, below: _Below) -> Iterator[Finding]:
    for number, fence in enumerate(fences):
        direct = below.runs and not number and fence.line < first_text
        if is_shown(fence) or not (direct or looks_printed(fence.language)):
            continue
        message = "this looks like the output of the cell above, but is not compared with it"
        fix = (
            "open it with ```text right below the cell, at column 0 and nothing else; or say what it is:"
            f' ```{{.{fence.language or "text"} .noeval title="..."}}'
        )
        yield flaw(fence.line, "output-header", message, fix)


def _indented(between: Sequence[tuple[int, str]]) -> Iterator[Finding]:
    """Blocks made by indentation, which Markdown shows like a fence."""
    owned, gap, told = False, True, False
    for number, text in between:
        if not text.strip():
            gap = True
            continue
        if not _INDENTED.match(text):
            owned = bool(_OWNER.match(text)) or (owned and (not gap or text[0].isspace()))
            told = False
        elif gap and not owned and not told:
            message = "an indented block below a cell looks like its output, and is not compared with it"
            fix = "make it a ```text fence right below the cell, or let its lines begin at column 0"
            yield flaw(number, "output-header", message, fix)
            told = True
        gap = False


def _code_elsewhere(texts: Sequence[tuple[int, str]]) -> Iterator[Finding]:
    for number, text in texts:
        for match in _INLINE.finditer(text):
            if real := taken_for(match["language"], ""):
                message = (
                    f"inline code shown as {match['language']}: a reader takes it for {real}, nothing runs it"
                )
                yield flaw(number, "inline-code", message, f"write it without {match[0].strip('` ')}")
        for match in _HTML.finditer(re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", text)):
            tag = (match["tag"] or match["marked"]).lower()
            message = f"<{tag}> shows a block that is neither run nor compared"
            fix = 'write a fence; or say why it is none: <pre title="...">'
            yield flaw(number, "raw-html", message, fix)
