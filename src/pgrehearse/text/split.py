"""Statements of an SQL text, split where psql splits them.

One statement is one message to the server; a string of several would be one implicit transaction.
The scanner follows psql's: quotes, dollar quotes, nested comments, parentheses, and the
``BEGIN ATOMIC ... END`` body of a function hide a semicolon. Source of the rules:
``src/fe_utils/psqlscan.l`` in PostgreSQL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

__all__ = ["SplitError", "Statement", "Token", "split", "tokens"]

_IDENT = re.compile(r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*")
_DOLLAR = re.compile(r"\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?\$")
_VARIABLE = re.compile(r":(?:'(?P<literal>\w+)'|\"(?P<ident>\w+)\"|(?P<raw>\w+))")
_SPACE = " \t\n\r\f\v"  # what the server's scanner skips; a no-break space is part of a word there
_SPACES = re.compile(rf"[{_SPACE}]+")
_NUMBER = re.compile(r"\d[\w.]*")


class SplitError(ValueError):
    """The text is not something psql could send. ``line`` is 1-based within the text."""

    def __init__(self, message: str, line: int, fix: str) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.fix = fix


@dataclass(frozen=True)
class Token:
    """``kind``: space, comment, word, string, quoted, dollar, variable, semicolon, command, other."""

    kind: str
    text: str
    offset: int


@dataclass(frozen=True)
class Statement:
    """One statement as sent to the server.

    ``line`` (1-based, within the text that was split) is where it begins, a leading ``/* */`` included.
    ``gexec``: the statement is a query whose result cells are statements to execute (psql's ``\\gexec``).
    """

    sql: str
    line: int
    gexec: bool = False


@lru_cache(maxsize=1024)  # the linter, the quoting of parameters and the run all ask for the same cells
def tokens(text: str) -> tuple[Token, ...]:
    """Lexical tokens of ``text``; joined together they are ``text`` again. Raises SplitError."""
    found: list[Token] = []
    position = 0
    while position < len(text):
        kind, end = _token(text, position)
        found.append(Token(kind, text[position:end], position))
        position = end
    return tuple(found)


def _token(text: str, at: int) -> tuple[str, int]:
    char = text[at]
    if spaces := _SPACES.match(text, at):
        return "space", spaces.end()
    if text.startswith("--", at):
        end = text.find("\n", at)
        return "comment", len(text) if end < 0 else end
    if text.startswith("/*", at):
        return "comment", _block_comment(text, at)
    if char == "'":
        return "string", _quoted(text, at, "'", backslash=False)
    if char == '"':
        return "quoted", _quoted(text, at, '"', backslash=False)
    if char in "eE" and text.startswith("'", at + 1):
        return "string", _quoted(text, at + 1, "'", backslash=True)
    if char == "$" and (dollar := _DOLLAR.match(text, at)):
        end = text.find(dollar[0], dollar.end())
        if end < 0:
            raise _unterminated(text, at, f"dollar quote {dollar[0]}")
        return "dollar", end + len(dollar[0])
    if char == ":":
        return _colon(text, at)
    if word := _IDENT.match(text, at):
        return "word", word.end()
    if number := _NUMBER.match(text, at):
        return "other", number.end()
    if char == "\\":
        end = text.find("\n", at)
        return "command", len(text) if end < 0 else end
    return ("semicolon" if char == ";" else "other"), at + 1


def _colon(text: str, at: int) -> tuple[str, int]:
    if text.startswith(("::", ":="), at):
        return "other", at + 2
    variable = _VARIABLE.match(text, at)
    return ("variable", variable.end()) if variable else ("other", at + 1)


def _block_comment(text: str, at: int) -> int:
    depth, position = 0, at
    while position < len(text):
        if text.startswith("/*", position):
            depth, position = depth + 1, position + 2
        elif text.startswith("*/", position):
            depth, position = depth - 1, position + 2
            if depth == 0:
                return position
        else:
            position += 1
    raise _unterminated(text, at, "comment /*")


def _quoted(text: str, at: int, quote: str, *, backslash: bool) -> int:
    position = at + 1
    while position < len(text):
        if backslash and text[position] == "\\":
            position += 2
        elif text[position] == quote:
            if not text.startswith(quote, position + 1):
                return position + 1
            position += 2
        else:
            position += 1
    raise _unterminated(text, at, "quote " + quote)


def _unterminated(text: str, at: int, what: str) -> SplitError:
    return SplitError(f"unterminated {what}", text.count("\n", 0, at) + 1, "close it")


class _Depth:
    """Whether a semicolon is hidden: parentheses, and BEGIN ATOMIC bodies as psql guesses them."""

    def __init__(self) -> None:
        self.paren = 0
        self.begin = 0
        self.words: list[str] = []

    def see(self, token: Token) -> None:
        if token.text == "(":
            self.paren += 1
        elif token.text == ")":
            self.paren = max(0, self.paren - 1)
        elif token.kind == "word":
            self._word(token.text.lower())

    def _word(self, word: str) -> None:
        self.words = [*self.words, word][:4]
        head = [w for w in self.words if w not in ("or", "replace")]
        if head[:1] != ["create"] or head[1:2] not in (["function"], ["procedure"]) or self.paren:
            return
        if word == "begin" or (word == "case" and self.begin):
            self.begin += 1
        elif word == "end" and self.begin:
            self.begin -= 1

    @property
    def open(self) -> bool:
        return self.paren > 0 or self.begin > 0


def split(text: str) -> list[Statement]:
    """The statements of ``text`` in order; a last one without semicolon counts. Raises SplitError."""
    found: list[Statement] = []
    start: int | None = None
    lead: int | None = None  # a /* comment */ before the statement, which psql sends too: it may be a hint
    depth = _Depth()

    def finish(end: int, *, gexec: bool = False) -> None:
        nonlocal start, lead, depth
        if start is not None:
            first = start if lead is None else lead
            sql = text[first:end].rstrip(_SPACE)
            found.append(Statement(sql, text.count("\n", 0, first) + 1, gexec))
        start, lead, depth = None, None, _Depth()

    for token in tokens(text):
        if token.kind == "command":
            _check_command(text, token, start)
            finish(token.offset, gexec=True)
        elif token.kind == "semicolon" and not depth.open:
            finish(token.offset)
        elif token.kind == "comment":
            if lead is None and start is None and token.text.startswith("/*"):
                lead = token.offset
        elif token.kind != "space":
            start = token.offset if start is None else start
            depth.see(token)
    finish(len(text))
    for statement in found:
        _refuse_copy(statement)
    return found


def _check_command(text: str, token: Token, start: int | None) -> None:
    line = text.count("\n", 0, token.offset) + 1
    command = token.text.strip()
    if command != "\\gexec":
        raise SplitError(
            f"psql command {command.split()[0]} is not SQL",
            line,
            "write it as SQL; the one psql command a cell may hold is \\gexec",
        )
    if start is None:
        raise SplitError("\\gexec has no query before it", line, "leave out the semicolon before \\gexec")


def _refuse_copy(statement: Statement) -> None:
    parts = [t.text.lower() for t in tokens(statement.sql) if t.kind not in ("space", "comment")]
    ends = set(pairwise(parts)) & {("from", "stdin"), ("to", "stdout")}
    if parts[0] == "copy" and ends:
        raise SplitError(
            "COPY through the client is no single statement", statement.line, "use INSERT or a python cell"
        )
