"""Files that foreign Markdown brings in: lines of a block, or a piece of the page.

A piece of the page may hold blocks, which nobody would miss in a green report: they are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from pgrehearse.errors import DocumentError
from pgrehearse.text import characters, fenced_blocks
from pgrehearse.text.document import MOST
from pgrehearse.text.fenced_blocks import Fence
from pgrehearse.text.project import Project

__all__ = ["LANGUAGES", "refuse_unread_blocks", "said_above", "with_files"]

#: Languages of blocks that are run. Other dialects (mysql, tsql) are nothing for us.
LANGUAGES = ("sql", "postgresql", "postgres", "pgsql", "plpgsql", "psql", "pg")
_SPEAKS = re.compile(r"\s*(?:>\s*)*<!--\s*pgrehearse:\s*(?P<said>.*?)\s*-->\s*")
_SNIPPET = re.compile(r"\s*-{1,}8<-{1,}\s+(?P<quote>['\"])(?P<path>[^'\"]+)(?P=quote)\s*")
#: The first and the last line of a list of files.
_SNIPPETS = re.compile(r"\s*-{1,}8<-{1,}\s*")
#: ``path:2:5``, ``path:name``: a part of a file.
_PART = re.compile(r"(?P<path>.+?)(?::(?P<first>\d*)(?::(?P<last>\d*))?|:(?P<section>[A-Za-z][\w-]*))?")
#: Jinja, Jekyll and include-markdown, markdown-include, Hugo and Quarto.
_PIECE = re.compile(
    r"\{%-?\s*include(?:-markdown|_relative)?\s+['\"]?(?P<jinja>[^\s'\"%]+)"
    r"|\{!\s*(?P<plain>[^!{}]+?)\s*!\}"
    r"|\{\{[<%]\s*include\s+['\"]?(?P<short>[^\s'\"<>%]+)['\"]?\s*[>%]\}\}"
)
#: The language of a block of MyST that is a piece of another file; what its first line says.
_DIRECTIVE = re.compile(r"\{(?:literal)?include\}\s*(?P<path>\S+)")
_NEXT = "name it from the page or the project; or above it <!-- pgrehearse: skip REASON -->"
#: What a piece with blocks may be called.
_PAGES = (".md", ".markdown", ".mdx", ".qmd", ".txt", "")
#: Folders of the project that tools look for pieces in, besides where the page and the documents are.
_FOLDERS = (".", "_includes", "includes", "snippets")
#: Pieces within pieces: no page has more.
_DEEPEST = 8


def said_above(lines: Sequence[str], line: int) -> str | None:
    """What the comment above ``line`` says to us; None: there is none. Blank lines may stand between."""
    for number in range(line - 2, -1, -1):
        if lines[number].strip(" \t>"):
            speaks = _SPEAKS.fullmatch(lines[number])
            return speaks["said"] if speaks else None
    return None


def with_files(lines: Iterable[str], path: Path, project: Project, line: int) -> Iterator[str]:
    """Lines of a block that begins at ``line`` of ``path``, with those of the files they bring in.

    Raises DocumentError: such a file is not there, or lies outside the project.
    """
    for text in lines:
        include = _SNIPPET.fullmatch(text)
        if include is None:
            yield text
            continue
        part = _part(include["path"])
        found = _file(part["path"], path, project)
        if found is None:
            raise DocumentError(
                f"the file {part['path']!r}, which this block brings in, is not in the project",
                path=path,
                line=line,
                next_step=_NEXT,
            )
        yield from _part_of(_lines(found), part)


def refuse_unread_blocks(
    lines: Sequence[str], fences: Sequence[Fence], unseen: Collection[int], path: Path, project: Project
) -> None:
    """Raise DocumentError when a piece of the page has blocks that nobody reads, or cannot be read."""
    for line, name in _pieces(lines, fences, unseen):
        if (said_above(lines, line) or "").split()[:1] == ["skip"]:
            continue
        called = _part(name)["path"]
        found = _file(called, path, project)
        if found is None and Path(called).suffix.lower() in _PAGES:
            raise DocumentError(
                f"the page brings in {name!r}, which is not in the project: its blocks are not read",
                path=path,
                line=line,
                next_step=_NEXT,
            )
        count = _blocks(found, _part(name), project, 0) if found is not None else 0
        if found is not None and count:
            raise DocumentError(
                f"the page brings in {project.relative(found)}, whose {count} SQL"
                f" {'block is' if count == 1 else 'blocks are'} not read here",
                path=path,
                line=line,
                next_step="test that file by its own name, and above this line write"
                " <!-- pgrehearse: skip REASON -->",
            )


def _pieces(
    lines: Sequence[str], fences: Sequence[Fence], unseen: Collection[int]
) -> Iterator[tuple[int, str]]:
    """Line and name of each file that is a piece of the page, outside of its blocks."""
    for fence in fences:
        directive = _DIRECTIVE.match(fence.info.strip())
        if directive and fence.line not in unseen:
            yield fence.line, directive["path"]
    within = False
    for line, text in fenced_blocks.outside(list(lines), list(fences)):
        if line in unseen:
            continue
        if _SNIPPETS.fullmatch(text):
            within = not within
        elif within:
            if text.strip() and not text.strip().startswith(";"):
                yield line, text.strip()
        elif snippet := _SNIPPET.fullmatch(text):
            yield line, snippet["path"]
        else:
            for piece in _PIECE.finditer(re.sub(r"`[^`]*`", "", text)):
                yield line, piece["jinja"] or piece["plain"] or piece["short"]


def _blocks(file: Path, part: re.Match[str], project: Project, depth: int) -> int:
    """SQL blocks in ``part`` of ``file`` and in its own pieces; a file of another kind has none."""
    if file.suffix.lower() not in _PAGES or depth > _DEEPEST:
        return 0
    lines = _part_of(_lines(file), part)
    fences = fenced_blocks.scan(lines)
    unseen = fenced_blocks.comment_lines(lines, fences)
    count = sum(one.language.lower() in LANGUAGES and one.line not in unseen for one in fences)
    for _, name in _pieces(lines, fences, unseen):
        inner = _file(_part(name)["path"], file, project)
        count += _blocks(inner, _part(name), project, depth + 1) if inner else 0
    return count


def _part(name: str) -> re.Match[str]:
    found = _PART.fullmatch(name)
    assert found is not None  # it matches every name
    return found


def _file(name: str, path: Path, project: Project) -> Path | None:
    """The file that a page brings in: beside the page, in the project or in its documents."""
    folders = (project.root / folder for folder in _FOLDERS)
    for folder in (path.resolve().parent, *folders, *project.documents):
        place = (folder / name).resolve()
        if place.is_file() and place.is_relative_to(project.root):
            return place
    return None


def _lines(file: Path) -> list[str]:
    return characters.read(file, most=MOST).replace("\r\n", "\n").rstrip("\n").split("\n")


def _part_of(lines: list[str], part: re.Match[str]) -> list[str]:
    if part["section"]:
        marks = [
            n
            for n, text in enumerate(lines)
            if re.search(rf"-8<- \[(?:start|end): {part['section']}\]", text)
        ]
        return lines[marks[0] + 1 : marks[1]] if len(marks) > 1 else []
    first, last = int(part["first"] or 1), int(part["last"] or len(lines))
    return lines[first - 1 : last]
