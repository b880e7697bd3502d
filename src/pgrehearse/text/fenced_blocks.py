"""Fenced blocks of a Markdown text, with exact line numbers.

Finds every fence a renderer could publish, also the indented ones and the ``~~~`` ones that are not
cells: the linter can only complain about what it sees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Fence", "Heading", "comment_lines", "headings", "outside", "scan"]

# A fence inside a quotation or right after a list mark is published too.
_OPEN = re.compile(r"(?P<indent>(?:[ \t>]|(?:[-*+]|\d+[.)])(?=[ \t]))*+)(?P<fence>`{3,}|~{3,})(?P<info>.*)$")
_HEADING = re.compile(r"^(?P<level>#{1,6})[ \t]+(?P<title>.*?)(?:[ \t]+#+)?[ \t]*$")


@dataclass(frozen=True)
class Fence:
    """One fenced block. Lines are 1-based; ``end_line`` is the closing fence, or 0 when there is none."""

    indent: str
    marker: str
    info: str
    line: int
    end_line: int
    body: str

    @property
    def language(self) -> str:
        """First word of the info string, ``sql`` for both ``sql x="y"`` and ``{.sql .noeval}``."""
        match = re.match(r"\{?\s*\.?([\w+-]*)", self.info.strip())
        return match.group(1) if match else ""

    @property
    def closed(self) -> bool:
        return self.end_line > 0


@dataclass(frozen=True)
class Heading:
    """A heading outside the fences: ``level`` 1 to 6; ``line`` of the file, from 1."""

    level: int
    title: str
    line: int


def scan(lines: list[str], first_line: int = 1) -> list[Fence]:
    """All fences in ``lines``; ``first_line`` is the number of the first of them."""
    found: list[Fence] = []
    number = 0
    while number < len(lines):
        opening = _OPEN.match(lines[number])
        # CommonMark: an info string of a backtick fence holds no backtick, else it is inline code.
        if not opening or (opening["fence"][0] == "`" and "`" in opening["info"]):
            number += 1
            continue
        end = _closing(lines, number, opening)
        stop = end if end is not None else len(lines)
        body = "\n".join(lines[number + 1 : stop])
        found.append(
            Fence(
                opening["indent"],
                opening["fence"],
                opening["info"],
                first_line + number,
                first_line + end if end is not None else 0,
                body,
            )
        )
        number = stop + 1
    return found


def _closing(lines: list[str], opening: int, match: re.Match[str]) -> int | None:
    fence, before = match["fence"], "[ \t>]*" if ">" in match["indent"] else "[ \t]*"
    close = re.compile(rf"^{before}{re.escape(fence[0])}{{{len(fence)},}}[ \t]*$")
    return next((i for i in range(opening + 1, len(lines)) if close.match(lines[i])), None)


def outside(lines: list[str], fences: list[Fence], first_line: int = 1) -> Iterator[tuple[int, str]]:
    """(line number, text) of every line that is in no fence."""
    inside: set[int] = set()
    for fence in fences:
        inside.update(range(fence.line, (fence.end_line or first_line + len(lines)) + 1))
    for offset, text in enumerate(lines):
        if first_line + offset not in inside:
            yield first_line + offset, text


def headings(lines: list[str], fences: list[Fence], first_line: int = 1) -> list[Heading]:
    """ATX headings outside fences; a trailing ``{ #id }`` is not part of the title."""
    found = []
    for number, text in outside(lines, fences, first_line):
        if match := _HEADING.match(text):
            title = re.sub(r"\s*\{[^}]*\}\s*$", "", match["title"])
            found.append(Heading(len(match["level"]), title, number))
    return found


def comment_lines(lines: list[str], fences: list[Fence], first_line: int = 1) -> set[int]:
    """Numbers of the lines that lie, wholly or partly, in an HTML comment of more than one line.

    A comment mark inside a fence is text, unless a comment is open already. One in inline code counts:
    inside an HTML element it begins a comment.
    """
    quoted = set(range(first_line, first_line + len(lines)))
    quoted -= {number for number, _ in outside(lines, fences, first_line)}
    inside: set[int] = set()
    opened = False
    for number, text in enumerate(lines, first_line):
        if not opened and number in quoted:
            continue
        rest = text
        touched = opened
        while (cut := rest.find("-->" if opened else "<!--")) >= 0:
            touched = True
            rest = rest[cut + (3 if opened else 4) :]
            opened = not opened
        if touched and (opened or "-->" in text):
            inside.add(number)
    return inside
