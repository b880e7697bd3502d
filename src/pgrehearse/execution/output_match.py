"""Expected output against actual output. ``...`` stands for what varies.

``...`` inside a line matches any characters; a line that is nothing but ``...`` matches any lines, also
none. Where a line holds ``...``, runs of blanks and of ruler dashes count as one, because a value of another
width moves the columns.
"""

from __future__ import annotations

import difflib
import re
from functools import cache

__all__ = ["diff", "matches", "merge"]

_ANY = "..."


def matches(expected: str, actual: str) -> bool:
    """Whether ``actual`` is what ``expected`` says. Trailing blanks and outer blank lines do not count."""
    wanted, got = _lines(expected), _lines(actual)
    loose = any(_ANY in line for line in wanted)

    @cache
    def fits(i: int, j: int) -> bool:
        while i < len(wanted) and not _any(wanted[i]):
            if j >= len(got) or not _line_matches(wanted[i], got[j], loose):
                return False
            i, j = i + 1, j + 1
        if i == len(wanted):
            return j == len(got)
        return any(fits(i + 1, k) for k in range(j, len(got) + 1))

    return fits(0, 0)


def merge(expected: str, actual: str) -> str:
    """``actual`` with those lines of ``expected`` kept that hold ``...`` and still fit.

    A line of only ``...`` is kept when the lines around it still fit: it then stands for what is between.
    """
    wanted, got = _lines(expected), _lines(actual)
    loose = any(_ANY in line for line in wanted)
    wanted = [
        line
        for line, before in zip(wanted, ["", *wanted], strict=False)
        if not _any(line) or not _any(before)
    ]

    def find(i: int, start: int) -> int | None:
        return next((j for j in range(start, len(got)) if _line_matches(wanted[i], got[j], loose)), None)

    kept: list[str] = []
    at = 0
    for i, line in enumerate(wanted):
        if _any(line):
            after = len(got) if i + 1 == len(wanted) else find(i + 1, at)
            fits = i == 0 or (kept and _line_matches(wanted[i - 1], kept[-1], loose))
            if fits and after is not None:
                kept.append(line)
                at = after
        elif (found := find(i, at)) is not None and (_ANY in line or got[found] == line):
            kept += [*got[at:found], line if _ANY in line else got[found]]
            at = found + 1
    return "\n".join([*kept, *got[at:]])


def diff(expected: str, actual: str) -> str:
    """A unified diff of the two, without file headers; ``-`` is expected, ``+`` is actual."""
    lines = difflib.unified_diff(_lines(expected), _lines(actual), "expected", "actual", lineterm="", n=20)
    return "\n".join(line for line in lines if not line.startswith("@@"))


def _lines(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.expandtabs(8).split("\n")]
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _any(line: str) -> bool:
    return line.strip() == _ANY


def _line_matches(expected: str, actual: str, loose: bool) -> bool:
    if loose:
        expected, actual = _collapse(expected), _collapse(actual)
    if _ANY not in expected:
        return expected == actual
    pattern = ".*".join(re.escape(part) for part in expected.split(_ANY))
    return re.fullmatch(pattern, actual) is not None


def _collapse(line: str) -> str:
    if re.fullmatch(r"[-+]+", line):
        return re.sub(r"-+", "-", line)
    return re.sub(r"\s+", " ", line.strip())
