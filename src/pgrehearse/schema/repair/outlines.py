"""Statements of a dump without what stands in quotes and parentheses, so that their clauses are found."""

from __future__ import annotations

import re

from pgrehearse.schema.dump_text import closing, commas

__all__ = ["clause", "options", "options_changed", "outline", "within"]

_HIDDEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\((?:[^()'"]|'(?:[^']|'')*'|"(?:[^"]|"")*")*\)""")
#: One option of OPTIONS (...) or WITH (...): its name, and its value.
_FOREIGN = re.compile(r'(?P<name>"(?:[^"]|"")+"|[\w$]+)\s+(?P<value>\'(?:[^\']|\'\')*\')')


def outline(sql: str) -> str:
    """``sql`` with a NUL for each character in quotes or parentheses: the same length, the same places."""
    before = ""
    while before != sql:  # from the innermost parentheses outwards
        before, sql = sql, _HIDDEN.sub(lambda found: "\0" * len(found[0]), sql)
    return sql


def clause(sql: str, begin: str, *ends: str) -> str:
    """What follows ``begin`` outside of quotes and parentheses, up to one of ``ends``; empty without it."""
    seen = outline(sql)
    found = re.search(rf"(?<![\w$]){begin}", seen)
    if found is None:
        return ""
    end = re.search("|".join(ends), seen[found.end() :]) if ends else None
    return sql[found.end() : found.end() + end.start() if end else len(sql)].strip()


def within(sql: str, word: str) -> list[str]:
    """The entries of the parentheses that follow ``word``; none where it does not stand there."""
    found = re.search(rf"(?<![\w$]){word}\s*(?=\0)", outline(sql))
    if found is None or not sql.startswith("(", found.end()):
        return []
    inside = sql[found.end() + 1 : closing(sql, found.end())]
    return [one for one in commas(inside.strip()) if one]


def options(sql: str) -> dict[str, str]:
    """Of an OPTIONS clause, by name."""
    found = (_FOREIGN.fullmatch(one.strip()) for one in within(sql, "OPTIONS"))
    return {one["name"]: one["value"] for one in found if one}


def options_changed(old: str, new: str) -> str:
    """An OPTIONS clause that makes that of ``new`` from that of ``old``; empty where both are the same."""
    had, wants = options(old), options(new)
    words = [f"DROP {name}" for name in had if name not in wants]
    words += [
        f"{'SET' if name in had else 'ADD'} {name} {value}"
        for name, value in wants.items()
        if had.get(name) != value
    ]
    return f"OPTIONS ({', '.join(words)})" if words else ""
