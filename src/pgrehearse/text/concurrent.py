"""Statements that do their work step by step, each step committed: interrupted, they may leave something.

Names are given as they are written, for the database to look up: bare words in lower case, quoted names with
their quotes.
"""

from __future__ import annotations

from dataclasses import dataclass

from pgrehearse.text.reader import Reader, plain, reading

__all__ = [
    "Detach",
    "Drop",
    "Index",
    "Reindex",
    "built_index",
    "concurrent",
    "detaches",
    "is_concurrent",
]


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
    reader = reading(sql)
    reader.takes("create")
    reader.takes("unique")
    if not reader.takes("index", "concurrently"):
        return None
    lenient = reader.takes("if", "not", "exists")
    if reader.word() == "on" or not (name := reader.path()) or not reader.takes("on"):
        return None
    reader.takes("only")
    return Index(plain(name[-1]), ".".join(reader.path()), lenient)


def concurrent(sql: str) -> Index | Drop | Reindex | Detach | None:
    """What ``sql`` does concurrently, if it can be told."""
    match reading(sql).word():
        case "create":
            return built_index(sql)
        case "drop":
            return _drop(reading(sql))
        case "reindex":
            return _reindex(reading(sql))
        case "alter":
            return _detach(reading(sql))
    return None


def _drop(reader: Reader) -> Drop | None:
    if not reader.takes("drop", "index", "concurrently"):
        return None
    reader.takes("if", "exists")
    name = ".".join(reader.path())
    reader.takes_one("restrict", "cascade")
    return Drop(name) if name and reader.token() is None else None


def _reindex(reader: Reader) -> Reindex | None:
    reader.takes("reindex")
    asked = is_concurrent(Reader(reader.parenthesis()))
    what = reader.takes_one("index", "table", "schema", "database", "system")
    asked = reader.takes("concurrently") or asked
    name = ".".join(reader.path())
    return Reindex(what, name) if what and asked and reader.token() is None else None


def _detach(reader: Reader) -> Detach | None:
    if not reader.takes("alter", "table"):
        return None
    reader.takes("if", "exists")
    reader.takes("only")
    parent = ".".join(reader.path())
    if reader.sign() == "*":
        reader.at += 1
    if not reader.takes("detach", "partition"):
        return None
    partition = ".".join(reader.path())
    return Detach(parent, partition) if reader.takes("concurrently") and reader.token() is None else None


def detaches(sql: str) -> bool:
    """Whether ``sql`` detaches a partition in one step, which locks the table it is of."""
    reader = reading(sql)
    if not reader.takes("alter", "table"):
        return False
    for _ in reader.outer("detach"):
        if reader.takes("partition"):
            reader.path()
            return reader.word() not in ("concurrently", "finalize")
    return False


def is_concurrent(reader: Reader) -> bool:
    """Whether what is left of ``reader`` says CONCURRENTLY, a reserved word, and does not switch it off."""
    for token in reader.rest():
        if token.kind == "word" and token.text.lower() == "concurrently":
            following = reader.token()
            return following is None or following.text.lower() not in ("false", "off", "0")
    return False
