"""What a statement is, as far as that decides how it is carried out. No database here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pgrehearse.text.split import SplitError, tokens

__all__ = [
    "Detach",
    "Drop",
    "Index",
    "Reindex",
    "built_index",
    "code",
    "concurrent",
    "of_the_session",
    "redacted",
    "stands_alone",
]

#: Statements that refuse a transaction block.
_ALONE = (
    r"create (unique )?index concurrently|drop index concurrently"
    r"|reindex\b.*\bconcurrently|reindex ?(\([^)]*\) ?)?(database|system|schema)|vacuum|cluster$"
    r"|alter table .* detach partition .* concurrently|alter system|(create|drop|alter) database"
    r"|(create|drop) tablespace|(create|drop|alter) subscription"
)
_OF_THE_SESSION = (
    r"set (?!constraints)|reset |select (pg_catalog\.)?set_config ?\(|prepare (?!transaction)|load "
    r"|create (or replace )?((local|global) )?temp(orary)? |create (or replace )?\w+ pg_temp ?\."
)
_NAME = r'(?:"(?:[^"]|"")+"|[a-z_\x80-\U0010ffff][a-z0-9_$\x80-\U0010ffff]*)'
_PATH = rf"{_NAME}(?: ?\. ?{_NAME})?"
_BUILD = re.compile(
    r"create (?:unique )?index concurrently (?P<lenient>if not exists )?"
    rf"(?P<index>{_NAME}) on (?:only )?(?P<table>{_PATH})[ (]"
)
_DROP = re.compile(rf"drop index concurrently (?:if exists )?(?P<index>{_PATH})(?: restrict| cascade)?$")
_REINDEX = re.compile(
    r"reindex ?(?:\([^)]*\) ?)?(?P<what>index|table|schema|database|system) (?:concurrently)?"
    rf" ?(?P<name>{_PATH})?$"
)
_DETACH = re.compile(
    rf"alter table (?:if exists )?(?:only )?(?P<parent>{_PATH}) ?\*? ?"
    rf"detach partition (?P<part>{_PATH}) concurrently$"
)
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
#: A literal that holds a password somewhere inside: a connection string, a URL, quoted SQL.
_HOLDS_PASSWORD = re.compile(r"passw(?:or)?d\s*(?:=|\s'')|://[^/\s:@]*:[^/\s@]+@", re.I)
#: Letters from which on a password cannot be part of a key word by chance.
_UNMISTAKABLE = 8


def code(sql: str) -> str:
    """The statement on one line without comments, words in lower case, quoted names as they are.

    Like PostgreSQL in UTF-8, it leaves letters beyond ASCII alone.
    """
    parts = []
    for token in tokens(sql):
        if token.kind in ("space", "comment"):
            parts.append(" ")
        else:
            kept = token.kind in ("quoted", "string", "dollar")
            parts.append(token.text if kept else token.text.translate(_LOWER))
    return re.sub(r" +", " ", "".join(parts)).strip()


def stands_alone(sql: str) -> bool:
    """Whether it cannot run inside a transaction, so that it and its record cannot be one."""
    return re.match(rf"(?:{_ALONE})\b", code(sql)) is not None


def of_the_session(sql: str) -> bool:
    """Whether its effect ends with the session: a resumed run needs it again."""
    return re.match(_OF_THE_SESSION, code(sql)) is not None


@dataclass(frozen=True)
class Index:
    """The index that a CREATE INDEX CONCURRENTLY makes: its bare name, and its table as written.

    ``lenient``: with IF NOT EXISTS, so that one that is there will do.
    """

    name: str
    table: str
    lenient: bool = False


@dataclass(frozen=True)
class Drop:
    """DROP INDEX CONCURRENTLY of the index written so."""

    index: str


@dataclass(frozen=True)
class Reindex:
    """REINDEX CONCURRENTLY. ``what``: index, table, schema or database; ``name`` as written, maybe empty."""

    what: str
    name: str


@dataclass(frozen=True)
class Detach:
    """DETACH PARTITION CONCURRENTLY; both names as written."""

    parent: str
    partition: str


def built_index(sql: str) -> Index | None:
    """The index that ``sql`` builds concurrently; None when it does not, or leaves the name to PostgreSQL."""
    found = _BUILD.match(code(sql) + " ")
    if found is None:
        return None
    name = found["index"]
    bare = name[1:-1].replace('""', '"') if name.startswith('"') else name
    return Index(bare, found["table"], found["lenient"] is not None)


def concurrent(sql: str) -> Index | Drop | Reindex | Detach | None:
    """What ``sql`` does step by step, each step committed: interrupted, it may leave something behind."""
    index = built_index(sql)
    if index is not None:
        return index
    text = code(sql)
    if found := _DROP.match(text):
        return Drop(found["index"])
    if "concurrently" in text and (found := _REINDEX.match(text)):
        return Reindex(found["what"], found["name"] or "")
    if found := _DETACH.match(text):
        return Detach(found["parent"], found["part"])
    return None


def redacted(sql: str, text: str | None = None) -> str:
    """``text`` (default: the statement itself) with the passwords of ``sql`` replaced by ``***``.

    A password is a literal after the word PASSWORD, or a literal that holds a connection string with one.
    """
    shown = sql if text is None else text
    for secret in sorted(set(_secrets(sql)), key=len, reverse=True):
        shown = shown.replace(f"'{secret}'", "'***'")
        if text is not None or len(secret) >= _UNMISTAKABLE:
            shown = shown.replace(secret, "***")
    return shown


def _secrets(sql: str) -> Iterator[str]:
    word = ""
    for token in tokens(sql):
        if token.kind == "word":
            word = token.text.lower()
        elif token.kind == "string":
            value = token.text[token.text.index("'") + 1 : -1]
            if value and (word == "password" or _HOLDS_PASSWORD.search(value)):
                yield value
            word = ""
        elif token.kind == "dollar":
            tag = token.text[: token.text.index("$", 1) + 1]
            inner = token.text[len(tag) : -len(tag)]
            try:
                yield from _secrets(inner)
            except SplitError:  # the body is in another language
                if _HOLDS_PASSWORD.search(inner):
                    yield inner
