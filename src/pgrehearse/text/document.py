"""A Markdown file as a document: cells with phase, session, expectations and exact line numbers."""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from pgrehearse.text import characters, fenced_blocks, front_matter
from pgrehearse.text.fenced_blocks import Fence, Heading
from pgrehearse.text.options import CellOptions, parse_header

__all__ = ["LOOKING", "MOST", "PHASES", "Cell", "Document", "Expected", "Illustration", "load", "parse"]

#: Phases of a runbook in the order they stand in the file. Rehearsal is optional and runs first.
PHASES = ("Preflight", "Apply", "Verify", "Roll back", "Rehearsal")
#: Phases that only look.
LOOKING = ("Preflight", "Verify")
#: The header of an output that servers of a major and later print.
_LATER = re.compile(r'text title="PostgreSQL ([1-9]\d) and later"')
#: Bytes of a document; the longest pages of the handbook have 60,000.
MOST = 4_000_000


@dataclass(frozen=True)
class Expected:
    """The ``text`` fence after a cell. ``line`` and ``end_line`` are its two fences.

    ``later``: the fence right below it, which says what servers of ``later.major`` and later print instead.
    """

    text: str
    line: int
    end_line: int
    major: int = 0
    later: Expected | None = None

    def all(self) -> Iterator[Expected]:
        """This one and the later ones, as they stand."""
        yield self
        if self.later is not None:
            yield from self.later.all()

    def on(self, major: int) -> Expected:
        """What a server of ``major`` prints."""
        return [one for one in self.all() if one.major <= major][-1]


@dataclass(frozen=True)
class Cell:
    """One fenced ``sql`` or ``python`` block that is executed.

    ``line`` is the line of the opening fence; the source starts on the next one. ``earlier``: how many cells
    above it have the same language and text.
    """

    index: int
    language: str
    source: str
    line: int
    end_line: int
    options: CellOptions = field(default_factory=CellOptions)
    phase: str | None = None
    expected: Expected | None = None
    info: str = ""
    earlier: int = 0

    @property
    def first_line(self) -> int:
        """Line of the Markdown file on which the source starts."""
        return self.line + 1

    @property
    def digest(self) -> str:
        """12 hex digits that change when the cell or what it expects changes; not when it moves."""
        expected = [one.text for one in self.expected.all()] if self.expected else [""]
        parts = "\0".join((self.info.strip(), self.source, *expected))
        return hashlib.sha256(parts.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Illustration:
    """A ``{.sql .noeval}`` block: shown, never executed, with a reason in its title."""

    language: str
    source: str
    line: int
    info: str


@dataclass(frozen=True)
class Document:
    """A Markdown file as it is read: what is carried out of it, and where each part stands.

    ``path``: as it was given. ``text``: the whole file, front matter included.
    """

    path: Path
    text: str
    front: front_matter.FrontMatter
    fences: tuple[Fence, ...]
    headings: tuple[Heading, ...]
    cells: tuple[Cell, ...]
    illustrations: tuple[Illustration, ...]
    #: nobody wrote it for this program: no rule of form holds, and its runs leave no record
    foreign: bool = False
    #: title of the section that this is of its file, see `foreign.Reading.fresh`
    part: str = ""

    @property
    def is_runbook(self) -> bool:
        """A document with a level-2 heading Apply is a runbook."""
        return any(h.level == 2 and h.title == "Apply" for h in self.headings)

    @property
    def title(self) -> str:
        first = next((h.title for h in self.headings if h.level == 1), "")
        return self.front.title or first or self.path.stem

    @property
    def executed_digest(self) -> str:
        """16 hex digits that change with what is carried out, not with prose or where a cell stands."""
        front = self.front
        examples = front.examples()
        given = [[one.name, examples[one.name], one.default] for one in front.parameters.values()]
        around = [
            front.database.empty,
            front.database.rows,
            front.undo,
            front.stall,
            front.breaks,
            front.programs,
        ]
        cells = [[cell.phase, cell.language, cell.digest] for cell in self.cells]
        basis = json.dumps([given, around, cells], ensure_ascii=False)
        return hashlib.sha256(basis.encode()).hexdigest()[:16]

    def in_order(self) -> list[Cell]:
        """Cells in the order a rehearsal executes them: Rehearsal first, then as they stand."""
        return sorted(self.cells, key=lambda cell: cell.phase != "Rehearsal")


def load(path: Path) -> Document:
    """Read and parse a document. Raises DocumentError: see `characters.read`; bad front matter."""
    return parse(characters.read(path, most=MOST), path)


def parse(text: str, path: Path) -> Document:
    """Parse Markdown ``text``; ``path`` is for messages. Tolerant: pgrehearse.text.lint complains."""
    front = front_matter.read(text, path)
    lines = text.replace("\r\n", "\n").split("\n")[front.lines :]
    found = fenced_blocks.scan(lines, front.lines + 1)
    heads = fenced_blocks.headings(lines, found, front.lines + 1)
    above = [h for h in heads if h.level <= 2]
    runbook = any(h.level == 2 and h.title == "Apply" for h in heads)
    cells: list[Cell] = []
    seen: Counter[tuple[str, str]] = Counter()
    illustrations: list[Illustration] = []
    for position, fence in enumerate(found):
        language = fence.language.lower()
        if language not in front.languages:
            continue
        if is_illustration(fence):
            illustrations.append(Illustration(language, fence.body, fence.line, fence.info))
            continue
        options, _ = parse_header(fence.info)
        cells.append(
            Cell(
                index=len(cells) + 1,
                language=language,
                source=fence.body,
                line=fence.line,
                end_line=fence.end_line,
                options=options,
                phase=_phase(above, fence.line) if runbook else None,
                expected=_expected(lines, front.lines + 1, found[position:]),
                info=fence.info,
                earlier=seen[language, fence.body],
            )
        )
        seen[language, fence.body] += 1
    return Document(path, text, front, tuple(found), tuple(heads), tuple(cells), tuple(illustrations))


def is_illustration(fence: Fence) -> bool:
    """Whether the fence has the form ``{.sql .noeval ...}``."""
    info = fence.info.strip()
    return info.startswith("{") and ".noeval" in info.split('"')[0].strip("{}").split()


def _phase(heads: list[Heading], line: int) -> str | None:
    """The phase of what stands on ``line``, by the last of the ``heads`` of levels 1 and 2 above it."""
    number = bisect_left(heads, line, key=lambda heading: heading.line)
    last = heads[number - 1] if number else None
    return last.title if last and last.level == 2 and last.title in PHASES else None


def _expected(lines: list[str], first_line: int, found: list[Fence]) -> Expected | None:
    """The text fences that stand directly after the cell ``found[0]``: nothing but blank lines between."""
    outputs: list[tuple[int, Fence]] = []
    for above, fence in pairwise(found):
        between = lines[above.end_line + 1 - first_line : fence.line - first_line]
        if fence.indent or not above.closed or any(text.strip() for text in between):
            break
        later = _LATER.fullmatch(fence.info.strip())
        if (later is None) if outputs else (fence.info.strip() != "text"):
            break
        outputs.append((int(later[1]) if later else 0, fence))
    expected = None
    for major, fence in reversed(outputs):
        expected = Expected(fence.body, fence.line, fence.end_line, major, expected)
    return expected
