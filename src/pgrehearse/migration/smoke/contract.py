"""Reads a contract: plain SQL whose comments say what each statement shows.

    -- A free comment, as in any SQL file.
    -- refuses 23514 wishlist_items_price_check
    UPDATE wishlist_items SET price = -1;

An entry is one or more directives and the statements below them, up to the next blank line after a statement
or the next directive. All but the last statement prepare; the last one is the one the directives are about.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from pgrehearse.errors import DocumentError
from pgrehearse.text import characters, variables
from pgrehearse.text.split import SplitError, Statement, split, tokens
from pgrehearse.text.statement import classify

__all__ = ["FORMS", "Contract", "Directive", "Entry", "load"]

#: How each directive is written, for messages and the reference page.
FORMS = {
    "refuses": "refuses SQLSTATE NAME [on TABLE]",
    "uses": "uses INDEX",
    "labels": "labels TYPE: FIRST, SECOND, ...",
    "default": "default TABLE.COLUMN [= EXPRESSION]",
    "fires": "fires TRIGGER on TABLE",
    "returns": "returns VALUE, or: returns nothing",
    "not valid": "not valid CONSTRAINT [on TABLE]: REASON",
    "leaves out": "leaves out KIND NAME: REASON",
}
_NAME = r'(?:"[^"]*"|[^\s":])+'
_PARSE = {
    "refuses": re.compile(rf"(?P<value>[0-9A-Z]{{5}})(?: (?P<name>.+?))??(?: on (?P<table>{_NAME}))?"),
    "uses": re.compile(rf"(?P<name>{_NAME})"),
    "labels": re.compile(rf"(?P<name>{_NAME}): (?P<value>.+)"),
    "default": re.compile(rf"(?P<name>{_NAME})(?: = (?P<value>.+))?"),
    "fires": re.compile(rf"(?P<name>{_NAME}) on (?P<table>{_NAME})"),
    "returns": re.compile(r"(?P<value>.+)"),
    "not valid": re.compile(rf"(?P<name>{_NAME})(?: on (?P<table>{_NAME}))?: (?P<value>.+)"),
    "leaves out": re.compile(r"(?P<name>[^:]+): (?P<value>.+)"),
}
#: These stand by themselves; every other directive is about the statement below it.
_ALONE = ("not valid", "leaves out")
_READS = ("select", "with", "values", "table")


@dataclass(frozen=True)
class Directive:
    """One line such as ``-- uses wishlist_items_pkey``.

    ``name`` and ``table`` are an object as it was written; ``value`` is the SQLSTATE, the labels, the
    expression, the rows or the reason. Parts the line does not have are empty.
    """

    word: str
    name: str
    table: str
    value: str
    line: int

    def __str__(self) -> str:
        object_ = self.name + (f" on {self.table}" if self.table else "")
        return " ".join(part for part in (self.word, object_) if part)


@dataclass(frozen=True)
class Entry:
    """Directives and the statements they are about; the last statement is the one that shows it."""

    directives: tuple[Directive, ...]
    statements: tuple[Statement, ...]

    @property
    def line(self) -> int:
        return self.directives[0].line

    def of(self, word: str) -> list[Directive]:
        """Its directives of that kind."""
        return [directive for directive in self.directives if directive.word == word]

    @property
    def reads_only(self) -> bool:
        """Whether it can be run where nothing may be written."""
        return all(kind.verb in _READS and not kind.changes_rows for kind in map(classify, self.statements))


@dataclass(frozen=True)
class Contract:
    """A whole file. ``remarks`` are the directives without a statement."""

    path: Path
    entries: tuple[Entry, ...]
    remarks: tuple[Directive, ...]


def load(path: Path) -> Contract:
    """Read the contract at ``path``. Raises DocumentError with the line of what cannot be read."""
    text = characters.read(path, missing="see the guide smoke-test for how to begin one")
    text = text.replace("\r\n", "\n")
    try:
        statements, directives = split(text), _directives(text, path)
    except SplitError as error:
        raise DocumentError(error.message, path=path, line=error.line, next_step=error.fix) from None
    for statement in statements:
        _refuse(statement, path)
        end = statement.line + statement.sql.count("\n")
        inside = next((d for d in directives if statement.line < d.line <= end), None)
        if inside is not None:
            raise DocumentError(
                "a directive inside a statement", path=path, line=inside.line, next_step="end it with a ;"
            )
    above = [directive for directive in directives if directive.word not in _ALONE]
    entries = _entries(text, path, statements, above)
    return Contract(path, tuple(entries), tuple(d for d in directives if d.word in _ALONE))


def _directives(text: str, path: Path) -> list[Directive]:
    found = []
    for token in tokens(text):
        starts_line = token.offset == 0 or text[token.offset - 1] == "\n"
        if token.kind != "comment" or not starts_line or not token.text.startswith("-- "):
            continue
        said = token.text[3:].strip()
        word = next((w for w in FORMS if said == w or said.startswith(w + " ")), None)
        if word is None:
            continue
        line = text.count("\n", 0, token.offset) + 1
        match = _PARSE[word].fullmatch(said[len(word) :].strip())
        if match is None:
            raise DocumentError(
                f"this `{word}` cannot be read", path=path, line=line, next_step=f"write: -- {FORMS[word]}"
            )
        parts = {key: (value or "").strip() for key, value in match.groupdict().items()}
        found.append(
            Directive(word, parts.get("name", ""), parts.get("table", ""), parts.get("value", ""), line)
        )
    return found


def _refuse(statement: Statement, path: Path) -> None:
    if statement.gexec:
        problem = "\\gexec is a command of psql"
    elif classify(statement).control is not None:
        problem = "the whole contract runs in one transaction, which is rolled back at its end"
    else:
        return
    raise DocumentError(problem, path=path, line=statement.line, next_step="remove the line")


def _entries(text: str, path: Path, statements: list[Statement], directives: list[Directive]) -> list[Entry]:
    """Statements with the directives above them; each directive has a statement, each statement an entry."""
    lines = text.split("\n")
    found: list[Entry] = []
    waiting = list(directives)
    previous_end = 0
    for statement in statements:
        own = []
        while waiting and waiting[0].line < statement.line:
            own.append(waiting.pop(0))
        apart = any(not line.strip() for line in lines[previous_end : statement.line - 1])
        if own:
            found.append(Entry(tuple(own), (statement,)))
        elif found and not apart:
            found[-1] = Entry(found[-1].directives, (*found[-1].statements, statement))
        else:
            raise _undirected(path, statement, lines[previous_end : statement.line - 1])
        previous_end = statement.line + statement.sql.count("\n")
    if waiting:
        raise DocumentError(
            f"no statement below `{waiting[0].word}`",
            path=path,
            line=waiting[0].line,
            next_step="write the statement that shows it",
        )
    _check_labels(path, found)
    return found


def _undirected(path: Path, statement: Statement, above: list[str]) -> DocumentError:
    words = [line.removeprefix("--").split()[0] for line in above if line.removeprefix("--").split()]
    near = [match for word in words for match in difflib.get_close_matches(word, FORMS, 1, 0.7)]
    return DocumentError(
        "nothing says what this statement shows",
        path=path,
        line=statement.line,
        next_step=f"write: -- {FORMS[near[0]]}" if near else f"put one of {', '.join(FORMS)} above it",
    )


def _check_labels(path: Path, entries: list[Entry]) -> None:
    for entry in entries:
        used = {name for statement in entry.statements for name in variables.used(statement.sql)}
        wanted = {"label"} if entry.of("labels") else set()
        if used != wanted or len(entry.of("labels")) > 1:
            raise DocumentError(
                "`labels` runs its statement once for each label, as :'label'",
                path=path,
                line=entry.line,
                next_step="use :'label' in the statement below a `labels` line, and nowhere else",
            )
