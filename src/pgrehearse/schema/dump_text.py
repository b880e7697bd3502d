"""The text of pg_dump, split at its statements.

pg_dump writes a fixed style: quotes are doubled and never escaped, bodies are dollar-quoted or deparsed. So
one regular expression finds what can hide a semicolon, several times faster than the scanner for what people
write (`pgrehearse.text.split`); a test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["DumpEntry", "Raw", "commas", "split"]

#: Written with {char}: what else may be met than quotes, comments and the bodies of functions.
_PATTERN = r"""(?P<string>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*")
    | (?<![\w$])\$(?P<tag>[^\W\d]\w*)?\$
    | (?P<comment>--[^\n]*)
    | (?P<command>^\\[^\n]*)
    | (?P<char>[{char}])
    | (?<![\w$])(?P<word>BEGIN[ ]ATOMIC|CASE|END)(?![\w$])"""
_FLAGS = re.VERBOSE | re.MULTILINE
_STATEMENT = re.compile(_PATTERN.replace("{char}", ";()"), _FLAGS)
_LIST = re.compile(_PATTERN.replace("{char}", "(),"), _FLAGS)
#: After the rows of a COPY.
_ROWS_END = "\n\\.\n"
_HEADER = re.compile(
    r"-- (?:Data for )?Name: (?P<name>.*); Type: (?P<type>[A-Z ]+); Schema: (?P<schema>.*?); Owner: .*?"
    r"(?:; Tablespace: (?P<tablespace>.*))?$"
)


@dataclass(frozen=True)
class DumpEntry:
    """What pg_dump says of the entry a statement belongs to."""

    name: str = ""
    type: str = ""
    schema: str = "-"
    tablespace: str = ""


@dataclass(frozen=True)
class Raw:
    """One statement without its semicolon. ``rows``: the lines that follow a COPY; None after others."""

    entry: DumpEntry
    sql: str
    rows: tuple[str, ...] | None = None


def split(text: str) -> Iterator[Raw]:
    """The statements of a dump in order, each with the entry it belongs to."""
    entry = DumpEntry()
    start = depth = atomic = at = 0
    while mark := _STATEMENT.search(text, at):
        at = mark.end()
        kind = mark.lastgroup
        if kind == "comment":
            if not text[start : mark.start()].strip():
                start = at
                if header := _HEADER.match(mark[0]):
                    tablespace = header["tablespace"] or ""
                    entry = DumpEntry(header["name"], header["type"], header["schema"], tablespace)
        elif kind == "command":
            if not text[start : mark.start()].strip():
                start = at
        elif kind == "word":
            if mark[0] == "BEGIN ATOMIC" or (mark[0] == "CASE" and atomic):
                atomic += 1
            elif mark[0] == "END" and atomic:
                atomic -= 1
        elif kind == "char":
            char = mark[0]
            depth += (char == "(") - (char == ")")
            if char == ";" and depth <= 0 and not atomic:
                sql = text[start : mark.start()].strip()
                rows = None
                if sql.startswith("COPY ") and sql.endswith(" FROM stdin"):
                    end = text.index(_ROWS_END, at)
                    rows = tuple(text[at + 1 : end].split("\n")) if end > at else ()
                    at = end + len(_ROWS_END)
                yield Raw(entry, sql, rows)
                start, depth = at, 0
        elif kind in (None, "tag"):
            end = text.find(mark[0], at)
            at = len(text) if end < 0 else end + len(mark[0])
    if rest := text[start:].strip():
        yield Raw(entry, rest)


def commas(text: str) -> list[str]:
    """``text`` split at the commas outside of parentheses and quotes."""
    found: list[str] = []
    start = depth = at = 0
    while mark := _LIST.search(text, at):
        at = mark.end()
        if mark.lastgroup == "char":
            depth += (mark[0] == "(") - (mark[0] == ")")
            if mark[0] == "," and depth == 0:
                found.append(text[start : mark.start()].strip())
                start = at
        elif mark.lastgroup in (None, "tag"):
            end = text.find(mark[0], at)
            at = len(text) if end < 0 else end + len(mark[0])
    return [*found, text[start:].strip()]


def closing(text: str, at: int) -> int:
    """Where the parenthesis that opens at ``at`` is closed; the length of ``text`` if it is not."""
    depth = 0
    while mark := _LIST.search(text, at):
        at = mark.end()
        if mark.lastgroup == "char":
            depth += (mark[0] == "(") - (mark[0] == ")")
            if depth == 0:
                return mark.start()
        elif mark.lastgroup in (None, "tag"):
            end = text.find(mark[0], at)
            at = len(text) if end < 0 else end + len(mark[0])
    return len(text)
