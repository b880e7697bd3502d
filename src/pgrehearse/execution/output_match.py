"""Expected output against actual output. ``...`` stands for what varies.

``...`` inside a line matches any characters; a line that is nothing but ``...`` matches any lines, also
none. Where a line holds ``...``, runs of blanks and of ruler dashes count as one, because a value of another
width moves the columns.

What stands between two ``...`` is taken where it is found first. That is no guess: whatever fits later fits
after the first place, too. So the time grows with the product of both lengths at most, whatever they hold.
"""

from __future__ import annotations

import difflib
import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, groupby

__all__ = ["diff", "matches", "merge"]

_ANY = "..."
#: Lines of a difference that are shown before and after the first one, on each side.
_BEFORE, _SHOWN = 20, 400


@dataclass(frozen=True)
class _Line:
    """One line of the expected output."""

    text: str

    @property
    def any(self) -> bool:
        return self.text.strip() == _ANY

    @cached_property
    def parts(self) -> list[str]:
        return _collapse(self.text).split(_ANY)

    def fits(self, line: _Got, loose: bool) -> bool:
        if not loose:
            return self.text == line.text
        if len(self.parts) == 1:
            return self.parts[0] == line.collapsed
        return _in_order(self.parts, line.collapsed)


@dataclass(frozen=True)
class _Got:
    """One line of the actual output."""

    text: str

    @cached_property
    def collapsed(self) -> str:
        return _collapse(self.text)


def matches(expected: str, actual: str) -> bool:
    """Whether ``actual`` is what ``expected`` says. Trailing blanks and outer blank lines do not count."""
    wanted, got = _wanted(expected), _lines(actual)
    if not any(_ANY in line.text for line in wanted):
        return [line.text for line in wanted] == got
    lines = [_Got(text) for text in got]
    parts = [list(part) for free, part in groupby(wanted, key=lambda line: line.any) if not free]
    if not wanted[0].any:
        first, at = parts.pop(0), 0
        if not _at(first, lines, at):
            return False
        at = len(first)
        if len(first) == len(wanted):
            return at == len(lines)
    else:
        at = 0
    last = [] if wanted[-1].any or not parts else parts.pop()
    search = _Search(lines)
    for part in parts:
        found = search.find(part, at)
        if found is None:
            return False
        at = found + len(part)
    end = len(lines) - len(last)
    return end >= at and _at(last, lines, end)


class _Search:
    """Looks for lines among others; those without ``...`` in time that grows with the length of all."""

    def __init__(self, lines: Sequence[_Got]) -> None:
        self._lines = lines
        self._text = "".join(f"\n{line.collapsed}" for line in lines) + "\n"
        self._starts = [0, *accumulate(len(line.collapsed) + 1 for line in lines)]

    def find(self, part: Sequence[_Line], at: int) -> int | None:
        """The first place from ``at`` on where the lines of ``part`` stand."""
        if any(len(line.parts) > 1 for line in part):
            places = range(at, len(self._lines) - len(part) + 1)
            return next((place for place in places if _at(part, self._lines, place)), None)
        found = self._text.find("".join(f"\n{line.parts[0]}" for line in part) + "\n", self._starts[at])
        return bisect_left(self._starts, found) if found >= 0 else None


def _at(part: Sequence[_Line], lines: Sequence[_Got], at: int) -> bool:
    """Whether the lines of ``part`` stand at ``at``."""
    return at + len(part) <= len(lines) and all(
        line.fits(lines[at + offset], loose=True) for offset, line in enumerate(part)
    )


def _in_order(parts: Sequence[str], text: str) -> bool:
    """Whether ``text`` begins with the first part, ends with the last, and has the others between."""
    first, *between, last = parts
    if len(first) + len(last) > len(text) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in between:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def merge(expected: str, actual: str) -> str:
    """``actual`` with those lines of ``expected`` kept that hold ``...`` and still fit.

    A line of only ``...`` is kept when the lines around it still fit: it then stands for what is between.
    """
    wanted, got = _wanted(expected), [_Got(text) for text in _lines(actual)]
    loose = any(_ANY in line.text for line in wanted)
    wanted = [
        line for number, line in enumerate(wanted) if not (line.any and number and wanted[number - 1].any)
    ]

    places: dict[str, list[int]] = {}
    for j, other in enumerate(got):
        places.setdefault(other.collapsed if loose else other.text, []).append(j)

    def find(i: int, start: int) -> int | None:
        if len(wanted[i].parts) > 1:
            return next((j for j in range(start, len(got)) if wanted[i].fits(got[j], loose)), None)
        known = places.get(wanted[i].parts[0] if loose else wanted[i].text, [])
        number = bisect_left(known, start)
        return known[number] if number < len(known) else None

    kept: list[str] = []
    at = 0
    for i, line in enumerate(wanted):
        if line.any:
            after = len(got) if i + 1 == len(wanted) else find(i + 1, at)
            fits = i == 0 or (kept and wanted[i - 1].fits(_Got(kept[-1]), loose))
            if fits and after is not None:
                kept.append(line.text)
                at = after
        elif (found := find(i, at)) is not None and (_ANY in line.text or got[found].text == line.text):
            kept += [other.text for other in got[at:found]]
            kept.append(line.text if _ANY in line.text else got[found].text)
            at = found + 1
    return "\n".join([*kept, *(other.text for other in got[at:])])


def diff(expected: str, actual: str) -> str:
    """A unified diff of the two, without file headers; ``-`` is expected, ``+`` is actual.

    Of long outputs it shows what stands around the first difference: comparing all takes too long.
    """
    wanted, got = _lines(expected), _lines(actual)
    pairs = enumerate(zip(wanted, got, strict=False))
    same = next((i for i, (left, right) in pairs if left != right), min(len(wanted), len(got)))
    start = max(0, same - _BEFORE)
    left, right = (lines[start : same + _SHOWN] for lines in (wanted, got))
    lines = difflib.unified_diff(left, right, "expected", "actual", lineterm="", n=20)
    more = max(len(wanted), len(got)) - same - _SHOWN
    tail = [f" ({more} more lines)"] if more > 0 else []
    return "\n".join([line for line in lines if not line.startswith("@@")] + tail)


def _wanted(text: str) -> list[_Line]:
    return [_Line(line) for line in _lines(text)]


def _lines(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.expandtabs(8).split("\n")]
    full = [number for number, line in enumerate(lines) if line]
    return lines[full[0] : full[-1] + 1] if full else []


def _collapse(line: str) -> str:
    if re.fullmatch(r"[-+]+", line):
        return re.sub(r"-+", "-", line)
    return re.sub(r"\s+", " ", line.strip())
