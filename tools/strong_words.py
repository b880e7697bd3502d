"""Strong words stand beside a proof: never, always, nobody, every, only, safe in a section without a cell.

    tools/strong_words.py [FILE ...]

Without files: the guides, the pages for who is stuck, and the runbooks. Such a sentence needs a cell in its
section or in one below it, or a link in its paragraph to where it is proven. What stands above the first
section speaks of the whole page. Exit status 1 when a sentence has neither.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from pgrehearse.findings import Finding
from pgrehearse.text import fenced_blocks
from pgrehearse.text.document import Document, load

__all__ = ["PLACES", "offenders"]

PLACES = ("docs/guides", "docs/stuck", "runbooks")
_ROOT = Path(__file__).parents[1]
_WORD = re.compile(r"(?<![-\w])(never|always|nobody|every|only|safe|safely)(?![-\w])", re.IGNORECASE)
_LINK = "]("


def offenders(document: Document) -> Iterator[Finding]:
    """What ``document`` says strongly with no cell to break it."""
    proven = [cell.line for cell in document.cells]
    for section, end in _sections(document):
        if any(section < line <= end for line in proven):
            continue
        for number, paragraph in _paragraphs(document):
            own = max((h.line for h in document.headings if h.line < number), default=0)
            if own == section and _LINK not in paragraph and (word := _WORD.search(paragraph)):
                line = number + paragraph[: word.start()].count("\n")
                yield Finding(
                    f"'{word[0]}', and no cell in this section tries to break it",
                    path=document.path,
                    line=line,
                    kind="strong-words",
                    next_step="say it less strongly, add a cell, or link the section that proves it",
                )


def _sections(document: Document) -> Iterator[tuple[int, int]]:
    """First and last line of each section, with the sections below it; 0 is the beginning of the page."""
    last = document.text.count("\n") + 1
    yield 0, last
    for heading in document.headings:
        after = (h.line for h in document.headings if h.line > heading.line and h.level <= heading.level)
        yield heading.line, min(after, default=last + 1) - 1


def _paragraphs(document: Document) -> Iterator[tuple[int, str]]:
    """Line number and text of each run of lines outside fences, front matter and headings."""
    first = document.front.lines + 1
    lines = document.text.replace("\r\n", "\n").split("\n")[document.front.lines :]
    heads = {heading.line for heading in document.headings}
    begun, held = 0, list[str]()
    for number, text in [*fenced_blocks.outside(lines, list(document.fences), first), (0, "")]:
        if not text.strip() or number in heads or number != begun + len(held):
            if held:
                yield begun, "\n".join(held)
            begun, held = number, []
        if text.strip() and number not in heads:
            held.append(text)
    # The last line is empty, so nothing is held.


def main(names: list[str]) -> int:
    """Print what is found; the exit status."""
    files = [Path(name) for name in names] or [
        path for place in PLACES for path in sorted((_ROOT / place).glob("*.md"))
    ]
    found = [finding for path in files for finding in offenders(load(path))]
    for finding in found:
        print(finding.text())
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
