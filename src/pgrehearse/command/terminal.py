"""Tables and progress on a terminal, plain and stable where the output goes to a file or a pipe.

A table for a pipe is as wide as its texts, and the same on every machine: pages and scripts compare it. For a
terminal it is narrowed to what fits, wide characters counted, and each row becomes a list where even the
longest words do not fit side by side.

Rich was tried (15.0): it would add 11.5 MB to an installation, with pygments and markdown-it-py, and 50 ms
to the start of a command; a pipe gets lines folded at 80 columns with blanks at their ends, and a name in
brackets is taken for markup. Widths of characters and the breaking of lines are wcwidth's, which psql's
output needs anyway; importing it takes 30 ms, and is left out where all texts are ASCII.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import zip_longest
from types import TracebackType
from typing import BinaryIO, TextIO

import click

from pgrehearse.command import workflow_commands
from pgrehearse.text.characters import visible

__all__ = ["Column", "ProgressLine", "Screen", "broken", "door", "prose", "styled", "table", "width"]

_GAP = "  "
#: Columns that the texts of a list get at least; a narrower terminal breaks the lines itself.
_LEAST = 8


@dataclass(frozen=True)
class Column:
    """A column of a table. ``wanted``: its texts are broken there, and it is no narrower; None: it is as wide
    as they are.
    """

    head: str
    wanted: int | None = None
    right: bool = False


#: A parameter that no terminal knows: it tells our own styles from those that others wrote.
_OURS = secrets.randbelow(10**8) + 10**8
_STYLE = re.compile(rf"\x1b\[{_OURS};(\d+)m")


def styled(text: str, *, fg: str | None = None, bold: bool | None = None) -> str:
    """``text`` in a color or in bold, where what is printed goes to a terminal; plain elsewhere."""
    return click.style(visible(text), fg=fg, bold=bold).replace("\x1b[", f"\x1b[{_OURS};")


class _Shown(io.TextIOBase):
    """A stream of text where everything is spelled that would move the cursor, but for our own styles; and
    in a log that a CI service reads, what it would obey, but for our own workflow commands.
    """

    def __init__(self, behind: TextIO) -> None:
        self.behind = behind
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"  # see no-color.org
        self._colored = behind.isatty() and not plain
        self._obeyed = workflow_commands.obeyed_in(behind)

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError("text, not bytes")
        parts = _STYLE.split(text)
        for at in range(0, len(parts), 2):
            parts[at] = self._spelled(parts[at])
        for at in range(1, len(parts), 2):
            parts[at] = f"\x1b[{parts[at]}m" if self._colored else ""
        self.behind.write("".join(parts))
        return len(text)

    def _spelled(self, text: str) -> str:
        """Without power; workflow commands of ours as they are."""
        shown = []
        for ours, part in workflow_commands.parts(text):
            spelled = visible(part)
            powerless = (self._obeyed or workflow_commands.asked_for()) and not ours
            shown.append(workflow_commands.escaped(spelled) if powerless else spelled)
        return "".join(shown)

    def flush(self) -> None:
        self.behind.flush()

    def isatty(self) -> bool:
        return self.behind.isatty()

    def fileno(self) -> int:
        return self.behind.fileno()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.behind.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self.behind.errors

    @property
    def buffer(self) -> BinaryIO:
        """For what is no text."""
        return self.behind.buffer


@contextmanager
def door() -> Iterator[None]:
    """Meanwhile all that is printed passes one place, where the text of others loses its power."""
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Shown(out), _Shown(err)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        sys.stdout, sys.stderr = out, err


def width(stream: TextIO | None = None) -> int | None:
    """Columns of the terminal that ``stream`` is, or standard output; None for a file or a pipe."""
    return shutil.get_terminal_size().columns if (stream or sys.stdout).isatty() else None


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    *,
    within: int | None,
    rule: bool = False,
    colors: Mapping[str, str] | None = None,
) -> str:
    """The table as lines without blanks at their ends; a text may have several lines.

    ``within``: columns of the terminal, None for no limit. ``rule``: a line below the heads. ``colors``: text
    of a cell -> its color. What would move the cursor is spelled.
    """
    heads = tuple(column.head for column in columns)
    texts = [[visible(text).expandtabs() for text in row] for row in rows]
    widths = _widths(columns, [heads, *texts], within)
    if widths is None:
        return "\n\n".join("\n".join(_listed(heads, row, within or 0)) for row in texts)
    ruled = [tuple("-" * width for width in widths)] if rule else []
    laid = [
        line
        for row in (heads, *ruled, *texts)
        for line in _lines(row, widths, [column.right for column in columns], colors or {})
    ]
    return "\n".join(laid)


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str]], within: int | None) -> list[int] | None:
    """What each column takes. None where the longest word of each does not fit beside the others."""
    of_columns = list(zip(*rows, strict=True))
    least = [
        max((_width(word) for text in texts for word in text.split()), default=0) for texts in of_columns
    ]
    widths = [
        max((_width(line) for text in texts for line in text.splitlines()), default=0)
        if column.wanted is None
        else max(column.wanted, at_least)
        for column, texts, at_least in zip(columns, of_columns, least, strict=True)
    ]
    while within is not None and sum(widths) + len(_GAP) * (len(widths) - 1) > within:
        widest = max(range(len(widths)), key=lambda n: (widths[n] > least[n], widths[n]))
        if widths[widest] <= least[widest]:
            return None
        widths[widest] -= 1
    return widths


def _lines(
    row: Sequence[str], widths: Sequence[int], right: Sequence[bool], colors: Mapping[str, str]
) -> list[str]:
    cells_of = [broken(text, width) for text, width in zip(row, widths, strict=True)]
    lines = []
    for parts in zip_longest(*cells_of, fillvalue=""):
        cells = []
        for part, text, width, to_right in zip(parts, row, widths, right, strict=True):
            blank = " " * (width - _width(part))
            shown = styled(part, fg=colors[text]) if text in colors and part else part
            cells.append(blank + shown if to_right else shown + blank)
        lines.append(_GAP.join(cells).rstrip())
    return lines


def _listed(heads: Sequence[str], row: Sequence[str], within: int) -> list[str]:
    """A row as lines ``head  text``; empty texts are left out."""
    beside = max(map(_width, heads)) + len(_GAP)
    lines = []
    for head, text in zip(heads, row, strict=True):
        for number, part in enumerate(broken(text.strip(), max(within - beside, _LEAST)) if text else ()):
            first = head if number == 0 else ""
            lines.append(f"{first}{' ' * (beside - _width(first))}{part}".rstrip())
    return lines


def broken(text: str, width: int) -> list[str]:
    """The lines of ``text``, each no wider than ``width``; one empty line for an empty text."""
    parts = [part for line in text.splitlines() for part in _wrap(line, width)]
    return parts or [""]


def prose(text: str, within: int | None) -> str:
    """``text``, lines that are wider than ``within`` broken between words; the rest stands two deeper.

    A word that is too long stays whole: the terminal breaks it, and a path can still be copied.
    """
    return "\n".join(part for line in text.split("\n") for part in _hung(line, within))


def _hung(line: str, within: int | None) -> list[str]:
    if within is None or _width(line) <= within:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    room = max(within - len(indent) - len(_GAP), _LEAST)
    first, *more = _wrap(line.strip(), room, long_words=False)
    return [indent + first, *(indent + _GAP + part for part in more)]


def _wrap(line: str, width: int, *, long_words: bool = True) -> list[str]:
    if _width(line) <= width:
        return [line]
    if line.isascii():
        return textwrap.wrap(line, width, break_long_words=long_words, break_on_hyphens=False)
    from wcwidth import wrap

    return wrap(line, width, break_long_words=long_words, break_on_hyphens=False)


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from wcwidth import width

    return width(text)


class Screen:
    """What a terminal shows from its first line on, written over each time; one after the other in a pipe."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream.behind if isinstance(stream, _Shown) else stream
        self._live = stream.isatty() and os.environ.get("TERM") != "dumb"

    @contextmanager
    def fresh(self) -> Iterator[None]:
        """What the block prints to the stream stands on an empty screen."""
        if self._live:
            self._stream.write("\x1b[H\x1b[2J")
        yield
        if not self._live:
            self._stream.write("\n")
        self._stream.flush()


class ProgressLine:
    """One line of a terminal that is written over and goes away; silent for a file, a pipe, a dumb terminal.

    Leave it, or call ``clear``, before anything else is printed there.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream.behind if isinstance(stream, _Shown) else stream
        #: whether there is a line that can be written over
        self.live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._shown = False

    def say(self, text: str) -> None:
        """Show ``text``, cut to the width of the terminal."""
        if self.live:
            room = shutil.get_terminal_size().columns - 1
            self._write(f"\r{broken(visible(text), max(room, 1))[0]}\x1b[K")
            self._shown = True

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._write("\r\x1b[K")
            self._shown = False

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()
