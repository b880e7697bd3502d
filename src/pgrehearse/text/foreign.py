"""Markdown that nobody wrote for this program, read as its readers do: what they take for SQL is a cell.

In a list, a tab or a quotation, closed by more marks than it was opened with, called ``postgresql`` or
``SQL``; with the files that a line ``--8<--`` in it brings in. No rule of form holds, nothing is compared
with an output, and blocks in other languages are left alone: to run a stranger's Python is another decision.

What somebody typed into psql, with its commands or prompts, is only shown; so is what a comment hides.

A comment above a block speaks to us: ``<!-- pgrehearse: skip REASON -->``, ``<!-- pgrehearse: run -->``, or
options of a cell, ``<!-- pgrehearse: expect="23505" -->``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from pgrehearse.errors import DocumentError
from pgrehearse.text import characters, fenced_blocks
from pgrehearse.text.document import MOST, Cell, Document, Illustration, is_illustration
from pgrehearse.text.fenced_blocks import Fence, Heading
from pgrehearse.text.foreign_files import LANGUAGES, refuse_unread_blocks, said_above, with_files
from pgrehearse.text.front_matter import FrontMatter
from pgrehearse.text.options import CellOptions, parse_header
from pgrehearse.text.project import Project
from pgrehearse.text.split import SplitError, split

__all__ = ["ForeignReading", "read"]

_PROMPT = re.compile(r"^[\w.@:/~-]*=[*!?]?[#>] ", re.M)
_QUOTED = re.compile(r"[ \t]*(?:>[ \t]?)+")


@dataclass(frozen=True)
class ForeignReading:
    """What of foreign documents is run, and where.

    Attributes:
        marked: only blocks below a comment that speaks to us.
        fresh: each heading of this level or above begins with a fresh database; 0: the document has one.
        without: what is left alone: a pattern of files, ``#Title`` of a section, a language.
    """

    marked: bool = False
    fresh: int = 0
    without: tuple[str, ...] = ()

    def leaves(self, path: str) -> bool:
        """Whether the document at ``path``, relative to the project, is left alone."""
        return any(
            fnmatchcase(path, one) or fnmatchcase(path.rsplit("/", 1)[-1], one) for one in self.without
        )


def read(path: Path, project: Project, how: ForeignReading) -> list[Document]:
    """The document at ``path``, or a document for each of its sections that has a database of its own.

    Raises DocumentError: it cannot be read; a comment that speaks to us says nothing known; a file that it
    brings in is not there, or lies outside the project.
    """
    if how.leaves(project.relative(path)):
        return []
    text = characters.read(path, most=MOST)
    lines = text.replace("\r\n", "\n").split("\n")
    found = fenced_blocks.scan(lines)
    heads = fenced_blocks.headings(lines, found)
    unseen = fenced_blocks.comment_lines(lines, found)
    if not how.marked:
        refuse_unread_blocks(lines, found, unseen, path, project)
    wanted = [one for one in found if one.language.lower() in LANGUAGES and one.line not in unseen]
    blocks = [_block(lines, fence, heads, path, project, how) for fence in wanted]
    parts = []
    for first, last, title in _sections(heads, how.fresh, len(lines)):
        here = [one for one in blocks if first <= one.line <= last]
        cells = [one for one in here if isinstance(one, Cell)]
        if cells:
            numbered = tuple(replace(cell, index=number) for number, cell in enumerate(cells, 1))
            shown = tuple(one for one in here if isinstance(one, Illustration))
            parts.append(
                Document(path, text, FrontMatter(), (), (), numbered, shown, foreign=True, part=title)
            )
    return parts


def _sections(heads: Sequence[Heading], level: int, lines: int) -> Iterator[tuple[int, int, str]]:
    """First line, last line and title of each."""
    starts = [(one.line, one.title) for one in heads if one.level <= level]
    starts = [(1, ""), *starts]
    for (first, title), (following, _) in zip(starts, [*starts[1:], (lines + 1, "")], strict=True):
        yield first, following - 1, title


def _block(
    lines: Sequence[str],
    fence: Fence,
    heads: Iterable[Heading],
    path: Path,
    project: Project,
    how: ForeignReading,
) -> Cell | Illustration:
    said = said_above(lines, fence.line)
    above = _above(heads, fence.line)
    left = (
        is_illustration(fence)
        or (said is not None and said.split()[:1] == ["skip"])
        or (how.marked and said is None)
        or fence.language.lower() in how.without
        or any(f"#{title}" in how.without for title in above)
    )
    if left:
        return Illustration("sql", fence.body, fence.line, fence.info)
    source = "\n".join(with_files(_plain(fence), path, project, fence.line))
    if said is None and _is_of_psql(source):
        return Illustration("sql", fence.body, fence.line, fence.info)
    options = CellOptions()
    if said not in (None, "", "run"):
        options, wrong = parse_header(f"sql {said}")
        if wrong:
            raise DocumentError(
                f"this comment says nothing known: {said}",
                path=path,
                line=fence.line - 1,
                next_step='skip REASON, run, or options such as expect="23505" session="b"',
            )
    return Cell(1, "sql", source, fence.line, fence.end_line, options, info=fence.info)


def _is_of_psql(source: str) -> bool:
    """Whether it is what somebody typed into psql: its commands or prompts, not SQL that could be sent."""
    try:
        split(source)
    except SplitError:
        return True
    return _PROMPT.search(source) is not None


def _above(heads: Iterable[Heading], line: int) -> list[str]:
    """Titles of the sections that ``line`` lies in."""
    open_: list[Heading] = []
    for one in heads:
        if one.line > line:
            break
        open_ = [*(other for other in open_ if other.level < one.level), one]
    return [one.title for one in open_]


def _plain(fence: Fence) -> list[str]:
    """Lines of the block without the marks of the quotation and the indent of the list that it stands in."""
    found = fence.body.split("\n")
    if ">" in fence.indent:
        return [_QUOTED.sub("", line, count=1) for line in found]
    width = len(fence.indent.expandtabs(4))
    return [_unindented(line, width) for line in found]


def _unindented(line: str, width: int) -> str:
    line = line.expandtabs(4) if width and line[:1] == "\t" else line
    blank = len(line) - len(line.lstrip(" "))
    return line[min(blank, width) :]
