"""Statements of an SQL text, split where psql splits them.

One statement is one message to the server; a string of several would be one implicit transaction.
The scanner follows psql's: quotes, dollar quotes, nested comments, parentheses, and the
``BEGIN ATOMIC ... END`` body of a function hide a semicolon. Source of the rules:
``src/fe_utils/psqlscan.l`` in PostgreSQL. Time and memory grow with the text, not with its square.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from pgrehearse.text.fast_scan import simple
from pgrehearse.text.semicolons import CopyData, Depth

__all__ = [
    "TAG",
    "WORD",
    "Place",
    "SplitError",
    "Splitter",
    "Statement",
    "Token",
    "closed",
    "places",
    "scanned",
    "split",
    "tokens",
]

_SPACE = " \t\n\r\f\v"  # what the server's scanner skips; a no-break space is part of a word there
#: A letter, an underscore or anything beyond ASCII; and how a word and the tag of a dollar quote go on. Said
#: by what they are not: a class of a million characters takes long to compile.
_LETTER = r"[^\x00-@\[-^`{-\x7f]"
WORD = rf"{_LETTER}[^\x00-\#%-/:-@\[-^`{{-\x7f]*"
TAG = rf"{_LETTER}[^\x00-/:-@\[-^`{{-\x7f]*"
#: One token at a time, the first alternative wins. ``opened``: what ends at another place than at a pattern
#: of its own, or does not end at all.
_TOKEN = re.compile(
    rf"""
      (?P<space>[{_SPACE}]+)
    | (?P<comment>--[^\r\n]*)
    | (?P<string>'[^']*+(?:''[^']*+)*+' | [eE]'[^'\\]*+(?:(?:\\.|'')[^'\\]*+)*+')
    | (?P<quoted>"[^"]*+(?:""[^"]*+)*+")
    | (?P<opened>/\* | [eE]?' | " | \$(?:{TAG})?\$)
    | (?P<variable>:(?:'\w+'|"\w+"|\w+))
    | (?P<word>{WORD})
    | (?P<command>\\[^\n]*)
    | (?P<semicolon>;)
    | (?P<other>::|:=|\d[\w.]*|.)
    """,
    re.X | re.S,
)
_COMMENT = re.compile(r"/\*|\*/")
#: Characters of a text whose tokens are kept. Those of a longer one are made anew each time: they take tens
#: of times the memory of the text.
_KEPT = 8192
#: What pg_dump writes around its statements for psql alone, and what to do where no psql reads it.
_DUMPED = dict.fromkeys(
    ("\\restrict", "\\unrestrict"),
    "delete this line: pg_dump writes it for psql, and it is no part of the schema",
)


class SplitError(ValueError):
    """The text is not something psql could send. ``line`` is 1-based within the text."""

    def __init__(self, message: str, line: int, fix: str) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.fix = fix


class Token(NamedTuple):
    """``kind``: space, comment, word, string, quoted, dollar, variable, semicolon, command, other."""

    kind: str
    text: str
    offset: int


@dataclass(frozen=True)
class Statement:
    """One statement as sent to the server.

    ``line`` (1-based, within the text that was split) is where it begins, a leading ``/* */`` included.
    ``gexec``: the statement is a query whose result cells are statements to execute (psql's ``\\gexec``).
    ``rows``: what the client sends for a COPY; only a script has some, see `text.script`.
    """

    sql: str
    line: int
    gexec: bool = False
    _tokens: tuple[Token, ...] = field(default=(), repr=False, compare=False)
    rows: str | None = field(default=None, repr=False)

    @property
    def tokens(self) -> Iterable[Token]:
        """Its tokens; offsets count from wherever the scanner began."""
        return self._tokens or tokens(self.sql)

    def without_heading(self) -> Statement:
        """The same from its first word on: a comment above it is not what people look for in a report."""
        skipped = 0
        for token in self.tokens:
            if token.kind not in ("space", "comment"):
                break
            skipped += len(token.text)
        lines = self.sql.count("\n", 0, skipped)
        return Statement(self.sql[skipped:], self.line + lines, self.gexec)


class Place(NamedTuple):
    """Where a statement stands in the text that was split, and on which line; maybe the statement itself."""

    start: int
    end: int
    line: int
    statement: Statement | None = None


def tokens(text: str) -> Iterable[Token]:
    """Lexical tokens of ``text``; joined together they are ``text`` again. Raises SplitError, maybe late."""
    return _few(text) if len(text) <= _KEPT else scanned(text)


@lru_cache(maxsize=512)  # the linter, the quoting of parameters and the run all ask for the same cells
def _few(text: str) -> tuple[Token, ...]:
    return tuple(scanned(text))


def scanned(text: str, position: int | None = 0) -> Iterator[Token]:
    """The tokens of ``text`` from ``position`` on, none kept. Raises SplitError when it gets there."""
    while position is not None:
        start, position = position, None
        for match in _TOKEN.finditer(text, start):
            kind, at = match.lastgroup, match.start()
            assert kind is not None
            if kind == "opened":
                kind, position = closed(text, at, match[0])
                yield Token(kind, text[at:position], at)
                break
            yield Token(kind, match[0], at)


def closed(text: str, at: int, opening: str) -> tuple[str, int]:
    """Kind and end of the comment or dollar quote that opens ``at``. Raises SplitError: it has no end."""
    if opening == "/*":
        depth = 0
        for match in _COMMENT.finditer(text, at):
            depth += 1 if match[0] == "/*" else -1
            if depth == 0:
                return "comment", match.end()
        raise _unterminated(text, at, "comment /*")
    if opening[0] != "$":
        raise _unterminated(text, at, "quote " + opening[-1])
    end = text.find(opening, at + len(opening))
    if end < 0:
        raise _unterminated(text, at, f"dollar quote {opening}")
    return "dollar", end + len(opening)


def _unterminated(text: str, at: int, what: str) -> SplitError:
    return SplitError(f"unterminated {what}", text.count("\n", 0, at) + 1, "close it")


class Splitter:
    """Collects the statements of ``text``. What belongs to psql alone is refused, except ``\\gexec``."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[Place] = []
        self._resume: int | None = None  # where SQL goes on after rows for COPY
        self._counted, self._line = 0, 1
        self._keeps = len(text) <= _KEPT
        self._next()

    def _next(self) -> None:
        self._start: int | None = None
        self._lead: int | None = None  # a /* comment */ before it, which psql sends too: it may be a hint
        self._depth, self._copy = Depth(), CopyData()
        self._tokens: list[Token] = []

    def all(self) -> list[Statement]:
        """The statements in order. Raises SplitError."""
        text = self.text
        return [one.statement or Statement(text[one.start : one.end], one.line) for one in self.places()]

    def places(self) -> Iterator[Place]:
        """Where the statements stand, each as it is found. Raises SplitError when it gets there."""
        text = self.text
        position: int | None = 0
        match = None if self._keeps else simple(_SPACE).match
        while position is not None:
            while match is not None and (found := match(text, position)) is not None:
                start, end = found.span(1)
                position = found.end()
                self._count(start)
                while text[end - 1] in _SPACE:
                    end -= 1
                yield Place(start, end, self._line)
            position = self._one(position)
            yield from self.found
            self.found.clear()

    def _count(self, offset: int) -> None:
        """Go on to the line of ``offset``: each line feed is counted once."""
        self._line += self.text.count("\n", self._counted, offset)
        self._counted = offset

    def _one(self, position: int) -> int | None:
        """Read from ``position`` on, to the end of a statement: where it goes on; None for nowhere."""
        for token in self.scanned(position):
            self._see(token)
            if self._resume is not None:
                position, self._resume = self._resume, None
                return position
            if self.found and not self._keeps:
                return token.offset + len(token.text)
        self._finish(len(self.text))
        return None

    def _see(self, token: Token) -> None:
        if token.kind == "command":
            if self.command(token):
                self._finish(token.offset, gexec=True)
        elif token.kind == "semicolon" and not self._depth.open:
            self._finish(token.offset)
        else:
            if token.kind == "comment":
                if self._lead is None and self._start is None and token.text.startswith("/*"):
                    self._lead = token.offset
            elif token.kind != "space":
                self._start = token.offset if self._start is None else self._start
                self._depth.see(token.kind, token.text)
                self._copy.see(token.text)
            if self._keeps and (self._start is not None or self._lead is not None):
                self._tokens.append(token)

    def _finish(self, end: int, *, gexec: bool = False) -> None:
        if self._start is not None:
            first = self._start if self._lead is None else self._lead
            self._count(first)
            rows = self.rows(end, self._line) if self._copy.through_client else None
            if self._tokens and self._tokens[-1].kind == "space":
                self._tokens.pop()
            sql = self.text[first:end].rstrip(_SPACE)
            statement = Statement(sql, self._line, gexec, tuple(self._tokens), rows)
            self.found.append(Place(first, first + len(sql), self._line, statement))
        self._next()

    def scanned(self, start: int) -> Iterable[Token]:
        """The tokens from ``start`` on."""
        return tokens(self.text) if self._keeps else scanned(self.text, start)

    def rows(self, end: int, line: int) -> str | None:
        """What a COPY through the client, which begins on ``line`` and ends at ``end``, is given."""
        raise SplitError(
            "COPY through the client is no single statement", line, "use INSERT or a python cell"
        )

    def command(self, token: Token) -> bool:
        """Whether the query before this command of psql's generates statements; False: it does nothing."""
        line = self.text.count("\n", 0, token.offset) + 1
        command = token.text.strip()
        if command != "\\gexec":
            name = command.split()[0]
            fix = _DUMPED.get(name, "write it as SQL; the one psql command a cell may hold is \\gexec")
            raise SplitError(f"psql command {name} is not SQL", line, fix)
        if self._start is None:
            raise SplitError("\\gexec has no query before it", line, "leave out the semicolon before \\gexec")
        return True


def places(text: str) -> Iterator[Place]:
    """Where the statements of ``text`` stand, each as it is found. Raises SplitError when it gets there."""
    return Splitter(text).places()


def split(text: str) -> list[Statement]:
    """The statements of ``text`` in order; a last one without semicolon counts. Raises SplitError."""
    return Splitter(text).all()
