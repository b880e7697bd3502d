"""Whether a statement makes what ends with its session, or changes such a thing and nothing else."""

from __future__ import annotations

from pgrehearse.text.reader import Reader, lowered, plain
from pgrehearse.text.rows import CHANGES

__all__ = ["changes_temporary", "makes_temporary"]

#: What may stand before the name of what CREATE makes.
_MADE = (
    *("unlogged", "recursive", "materialized", "table", "view", "sequence", "function"),
    *("procedure", "aggregate", "type", "domain"),
)
#: What ALTER and DROP may name.
_NAMED = (
    *("table", "view", "sequence", "index", "function", "procedure", "routine"),
    *("aggregate", "type", "domain"),
)


def makes_temporary(reader: Reader) -> bool:
    """Whether it makes a relation, type or function that ends with the session."""
    if reader.takes("select"):
        return any(_temporary_name(reader) for _ in reader.outer("into", until="from"))
    if not reader.takes("create"):
        return False
    reader.takes("or", "replace")
    return _temporary_name(reader)


def _temporary_name(reader: Reader) -> bool:
    reader.takes_one("local", "global")
    if reader.takes_one("temp", "temporary"):
        return True
    while reader.takes_one(*_MADE):
        pass
    reader.takes("if", "not", "exists")
    path = reader.path()
    return len(path) > 1 and plain(path[0]) == "pg_temp"


def changes_temporary(reader: Reader) -> bool:
    """Whether it changes or drops one thing named as ``pg_temp.``, or its rows, or makes an index on it."""
    if reader.takes("insert", "into") or reader.takes("update") or reader.takes("delete", "from"):
        return _names_temporary(reader) and all(lowered(token) not in CHANGES for token in reader.rest())
    if reader.takes("create"):
        reader.takes("unique")
        if not reader.takes("index"):
            return False
        reader.takes("if", "not", "exists")
        if reader.word() != "on":
            reader.path()
        return reader.takes("on") and plain((*reader.path(), "")[0]) == "pg_temp"
    lists = reader.word() in ("drop", "truncate")
    if not reader.takes_one("alter", "drop", "truncate"):
        return False
    while reader.takes_one("materialized", "foreign", *_NAMED):
        pass
    reader.takes("if", "exists")
    if not _names_temporary(reader):
        return False
    return not lists or all(token.text != "," for token in reader.outside())


def _names_temporary(reader: Reader) -> bool:
    """Goes past a name, maybe after ONLY: whether it is one of ``pg_temp``."""
    reader.takes("only")
    path = reader.path()
    return len(path) > 1 and plain(path[0]) == "pg_temp"
