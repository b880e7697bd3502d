"""What is written in the bodies of functions, procedures and DO blocks and locks tables, and where.

No database here: whether it runs is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pgrehearse.text.reader import literal, plain
from pgrehearse.text.split import SplitError, Token, scanned, split

__all__ = ["INLINE", "UNREAD", "Locking", "calls", "held", "in_one_line", "inline", "locks", "tells_nobody"]

#: How PL/pgSQL calls a DO block.
INLINE = "inline_code_block"
#: `Locking.what` of an EXECUTE whose statement is put together where no text shows it.
UNREAD = "EXECUTE"
_LOCKS = re.compile(
    r"\b(?:alter\s+(?:(?:foreign\s+)?table|index|(?:materialized\s+)?view|domain|policy|extension)"
    r"|create\s+(?:unique\s+)?index|create\s+(?:or\s+replace\s+)?(?:constraint\s+)?trigger"
    r"|create\s+(?:or\s+replace\s+)?rule|create\s+policy"
    r"|create\s+table(?=\b[^;]*\b(?:partition\s+of|references)\b)"
    r"|drop\s+(?:(?:foreign\s+)?table|index|(?:materialized\s+)?view|trigger|policy|rule|schema|owned|domain)"
    r"|truncate|lock(?=\s+table\b|\s+[\w\".$]+(?:\s*\.\s*[\w\"$]+)?\s+(?:in|nowait)\b)"
    r"|reindex|cluster|refresh\s+materialized)\b",
    re.I,
)
_WRITES = re.compile(r"\b(?:update(?=\s)|delete\s+from|merge\s+into)\b", re.I)
_OTHERS = re.compile(r"\b(?:execute|lock_timeout)\b", re.I)
#: What may stand between two words: comments, and escapes of E''.
_BETWEEN = re.compile(r"/\*.*?\*/|--[^\n]*|\\[nrtbf]", re.S)
#: Of these PostgreSQL tells event triggers nothing; of REINDEX before 17.
_UNTOLD = ("TRUNCATE", "LOCK", "CLUSTER", "REINDEX", "UPDATE", "DELETE", "MERGE")
_PART = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_NAME = re.compile(
    r"\s*(?:\([^)]*\)\s*)?(?:(?:table|index|only|concurrently|verbose)\s+)*"
    rf"(?P<name>{_PART}(?:\s*\.\s*{_PART})*)",
    re.I,
)
_LAST = re.compile(rf"{_PART}\s*$")
_CALL = re.compile(r'([\w$]+)"?\s*\(')
#: Words after which a statement of PL/pgSQL begins.
_BEFORE = ("begin", "then", "else", "loop")
#: Statements that say by their first words that they lock nothing against readers and writers.
_READABLE = re.compile(
    r"\s*(?:(?:select|insert|update|delete|merge|with|values|set|reset|grant|revoke|notify|comment|analyze"
    r"|copy|explain|perform|vacuum|call|do)(?=\W)|(?:create|alter|drop)\s+(?:or\s+replace\s+)?[a-z]+(?=\W|$))",
    re.I,
)


@dataclass(frozen=True)
class Locking:
    """A statement in a body.

    Attributes:
        what: its first words, such as ALTER TABLE; `UNREAD`.
        place: its line in the body, the number of the statement in SQL, 0 in other languages.
        executed: it is a text, given to EXECUTE.
        text: it in one line, where it is no text.
        table: the last part of the name of what it locks, where that stands behind its first words.
    """

    what: str
    place: int
    executed: bool = False
    text: str = ""
    table: str = ""


def locks(text: str) -> bool:
    """Whether ``text`` has words by which tables are locked, rows changed or timeouts set, or an EXECUTE."""
    bare = _BETWEEN.sub(" ", text)
    return any(words.search(bare) is not None for words in (_LOCKS, _WRITES, _OTHERS))


def tells_nobody(what: str) -> bool:
    """Whether no event trigger hears of a statement that begins so."""
    return what.startswith(_UNTOLD)


def in_one_line(sql: str) -> str:
    """``sql`` without comments, its tokens apart by one blank. As it is where it is no SQL."""
    try:
        return " ".join(token.text for token in scanned(sql) if token.kind not in ("space", "comment"))
    except SplitError:
        return sql


def calls(body: str) -> frozenset[str]:
    """Names that stand before a parenthesis in ``body``, in lower case, texts included."""
    return frozenset(name.lower() for name in _CALL.findall(body))


def inline(sql: str) -> tuple[str, str]:
    """Language and body of the DO block ``sql``."""
    language, body, words = "plpgsql", "", [t for t in scanned(sql) if t.kind not in ("space", "comment")]
    for number, token in enumerate(words):
        text = literal(token)
        if number and words[number - 1].text.lower() == "language":
            language = (plain(token.text) if text is None else text).lower()
        elif text is not None:
            body = re.sub(r"\\[nrtbf]", "\n", text) if token.text[0] in "eE" else text
    return language, body


def held(body: str, language: str, *, rows: bool = False) -> list[Locking]:
    """The statements in ``body`` by which tables are locked, and each EXECUTE that may be one.

    ``rows``: also those that change rows; what a table's triggers do with few of them is no matter here.
    """
    try:
        if language == "sql":
            return list(_of_sql(body))
        if language == "plpgsql":
            return list(_of_plpgsql(body, rows))
    except SplitError:
        pass
    return [Locking(_words(match), 0) for match in _LOCKS.finditer(body)]


def _of_sql(body: str) -> Iterator[Locking]:
    for number, statement in enumerate(split(body), 1):
        sql = in_one_line(statement.sql)
        if (match := _LOCKS.match(sql)) is not None:
            yield Locking(_words(match), number, text=sql, table=_table(sql, match))


def _of_plpgsql(body: str, rows: bool) -> Iterator[Locking]:
    code: list[tuple[Token, int]] = []
    line = 1
    for token in scanned(body):
        if token.kind not in ("space", "comment"):
            code.append((token, line))
        line += token.text.count("\n")
    begins = True
    for number, (token, line) in enumerate(code):
        word = token.text.lower() if token.kind == "word" else ""
        if begins and word:
            tokens = [one for one, _ in _statement(code, number)]
            sql = " ".join(one.text for one in tokens)
            if word == "execute":
                what = _executed(tokens, body)
                if what:
                    yield Locking(what, line, executed=True)
            elif (match := _LOCKS.match(sql) or (_WRITES.match(sql) if rows else None)) is not None:
                yield Locking(_words(match), line, text=sql, table=_table(sql, match))
        begins = token.kind == "semicolon" or word in _BEFORE or token.text == ">"


def _statement(code: list[tuple[Token, int]], start: int) -> Iterator[tuple[Token, int]]:
    for token, line in code[start:]:
        if token.kind == "semicolon":
            return
        yield token, line


def _executed(tokens: list[Token], body: str) -> str:
    """What an EXECUTE sends, as far as a text says it; empty where that locks nothing."""
    texts = [text for token in tokens if (text := literal(token)) is not None]
    for text in texts:
        if (match := _LOCKS.search(text)) is not None:
            return _words(match)
    first = next((token for token in tokens[1:] if token.text not in ("format", "(")), None)
    if first is not None and literal(first) is not None and _READABLE.match(texts[0]):
        return ""
    elsewhere = (literal(token) for token in scanned(body) if token.kind in ("string", "dollar"))
    found = next((match for text in elsewhere if text and (match := _LOCKS.search(text))), None)
    return _words(found) if found is not None else UNREAD


def _words(match: re.Match[str]) -> str:
    return " ".join(match[0].upper().split())


def _table(sql: str, match: re.Match[str]) -> str:
    name = _NAME.match(sql, match.end())
    last = _LAST.search(name["name"]) if name else None
    return (
        "" if last is None else plain(last[0].strip() if last[0].startswith('"') else last[0].strip().lower())
    )
