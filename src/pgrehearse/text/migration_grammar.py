"""The text of a migration: dbmate's ``-- migrate:up`` and ``-- migrate:down`` parts, and declarations.

The marks are those dbmate 2.36 finds, in every spelling it takes: it looks at lines, so a mark ends a part
even inside a string or a comment. What dbmate refuses is refused here too, and so is what it would carry out
otherwise; but a file without a down part is read, and the policy speaks of it.

Declarations are ours, each a comment line of its own:

* ``-- allow: CHECK reason``, right above a statement or inside it; above ``-- migrate:up`` for the file;
* ``-- breaking: who breaks, and how``, and ``-- before: what must be released first``, anywhere in the file;
* ``-- not restored: reason``, in a down part that cannot undo everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from pgrehearse.errors import DocumentError

__all__ = ["Comment", "Parts", "Section", "declared", "has_marks", "parse"]

_BLANK = r"[\t\n\f\r ]"  # what \s is in Go
_MARK = re.compile(
    rf"^--(?P<gap>{_BLANK}*)migrate:(?P<side>up|down)(?:{_BLANK}*$|{_BLANK}+[^\t\n\f\r ]+)", re.M
)
#: What somebody may have meant for a mark. To dbmate it is a comment.
_NEARLY = re.compile(
    r"^[^\S\n]*--[^\S\n]*"
    r"(?:migrate:(?:up|down)|(?i:migrate[^\S\n]*:[^\S\n]*(?:up|down)[^\w\n]*(?:transaction\b.*)?$))",
    re.M,
)
_COMMENT_OR_EMPTY = re.compile(rf"{_BLANK}*(?:--.*)?", re.S)
_DECLARATION = re.compile(
    r"--\s*(?:allow:\s*(?P<check>[\w-]*)|(?P<word>breaking|before|not restored):)\s*(?P<reason>.*)"
)


@dataclass(frozen=True)
class Section:
    """The SQL of one direction. ``line`` is the line of the file on which ``sql`` starts."""

    sql: str
    line: int
    transaction: bool = True


@dataclass(frozen=True)
class Comment:
    """A line that holds a ``--`` comment and nothing else, and what it declares.

    Attributes:
        line: 1-based in the file.
        text: with its dashes.
        declares: ``allow``, ``breaking``, ``before`` or ``not restored``; empty for any other comment.
        check: the check that an ``allow`` names.
        reason: the words of the declaration, up to a second comment on the same line.
    """

    line: int
    text: str
    declares: str = ""
    check: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Parts:
    """A migration taken apart."""

    up: Section
    down: Section | None
    comments: tuple[Comment, ...]


def has_marks(text: str) -> bool:
    """Whether ``text`` is a migration, or was meant to be one; else it is plain SQL."""
    return next(_marks(text), None) is not None or _NEARLY.search(text) is not None


def parse(text: str, path: Path) -> Parts:
    """Take the text of the migration at ``path`` apart.

    Raises:
        DocumentError: dbmate would refuse it, or would read it otherwise.
    """
    if text.startswith("\ufeff"):
        raise DocumentError(
            "it begins with a byte order mark, which is no blank to dbmate",
            path=path,
            line=1,
            next_step="save it as UTF-8 without one",
        )
    marks = list(_marks(text))
    _refuse_without(text, {mark["side"] for mark in marks}, path)
    sections: dict[str, Section] = {}
    for mark, following in zip_longest(marks, marks[1:]):
        _check(mark, sections, path)
        sections[mark["side"]] = _section(mark, following.start() if following else len(text))
    return Parts(sections["up"], sections.get("down"), tuple(declared(text)))


def _marks(text: str) -> Iterator[re.Match[str]]:
    """The marks in order. Only lines that begin with dashes are looked at: there may be a million others."""
    at = 0
    while at >= 0:
        mark = _MARK.match(text, at)
        if mark is not None:
            yield mark
        before = text.find("\n--", at if mark is None else mark.end())
        at = before + 1 if before >= 0 else -1


def _refuse_without(text: str, there: set[str], path: Path) -> None:
    """Raise DocumentError where a part that is not ``there`` is missing, or was meant to be there."""
    side = "down" if "up" in there else "up"
    if side not in there:
        found = (nearly for nearly in _NEARLY.finditer(text) if not _MARK.match(text, nearly.start()))
        if (nearly := next(found, None)) is not None:
            raise DocumentError(
                f"to dbmate this line is a comment and no mark, and the file has no {side} part",
                path=path,
                line=_line(text, nearly.start()),
                next_step=f"write `-- migrate:{side}` at the beginning of a line of its own",
            )
    if "up" not in there:
        fix = "start the section with that line"
        if "\r" in text.replace("\r\n", ""):
            fix = "save the file with line feeds; a carriage return ends no line for dbmate"
        raise DocumentError("no `-- migrate:up` line", path=path, line=1, next_step=fix)


def _check(mark: re.Match[str], before: dict[str, Section], path: Path) -> None:
    """Raise DocumentError for a mark that dbmate does not take, or takes for something else."""
    text, side, written = mark.string, mark["side"], f"`-- migrate:{mark['side']}`"
    line = _line(text, mark.start())
    if "\n" in mark["gap"]:
        problem = f"dbmate takes this for {written}, and PostgreSQL for a comment and a word"
        fix = "write it on one line"
    elif "\r" in _rest_of_line(mark).rstrip("\r"):
        problem = "a carriage return ends no line for dbmate: what stands behind it belongs to this mark"
        fix = "save the file with line feeds"
    elif side in before:
        problem = f"a second {written} line: a file has one up and one down part"
        fix = "join the two sections, or make two files of them"
    elif side == "down" and not before:
        problem, fix = "the down part stands above the up part", "put `-- migrate:up` first"
    elif side == "up" and (stray := _stray(text[: mark.start()])):
        problem = "above `-- migrate:up` dbmate takes empty lines and `--` comments, nothing else"
        line, fix = stray, f"move it below {written}"
    else:
        return
    raise DocumentError(problem, path=path, line=line, next_step=fix)


def _stray(head: str) -> int:
    """The first line of ``head`` that holds something; 0 if none does."""
    lines = enumerate(head.split("\n"), 1)
    return next((number for number, line in lines if not _COMMENT_OR_EMPTY.fullmatch(line)), 0)


def _section(mark: re.Match[str], end: int) -> Section:
    pairs = [pair.split(":") for pair in re.split(_BLANK, _rest_of_line(mark)) if pair.count(":") == 1]
    options = dict(pairs)
    begun = mark.end("side") + len(_rest_of_line(mark))
    text = mark.string
    while begun < end and text[begun] in "\r\n":
        begun += 1
    while begun < end and text[end - 1] in "\r\n":
        end -= 1
    return Section(text[begun:end], _line(text, begun), options.get("transaction") != "false")


def _rest_of_line(mark: re.Match[str]) -> str:
    begin, end = mark.end("side"), mark.string.find("\n", mark.end("side"))
    return mark.string[begin : None if end < 0 else end]


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def declared(text: str) -> list[Comment]:
    """The comment lines of a migration, with what they declare."""
    found = []
    counted = line = 0  # line feeds before a place in the text
    at = text.find("--")
    while at >= 0:
        begin, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        end = len(text) if end < 0 else end
        if not text[begin:at].strip():
            line += text.count("\n", counted, begin)
            counted = begin
            found.append(_comment(line + 1, text[at:end].strip()))
        at = text.find("--", end)
    return found


def _comment(number: int, bare: str) -> Comment:
    declared = _DECLARATION.match(bare)
    if declared is None:
        return Comment(number, bare)
    reason = declared["reason"].partition("--")[0].strip(" :,-")
    return Comment(number, bare, declared["word"] or "allow", declared["check"] or "", reason)
