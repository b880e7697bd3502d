"""Drift that a project does not want to hear of, each kind with its reason.

A pattern is compared with what a report shows: the object (``table public.day_2027``), its name alone
(``public.day_2027``), and object and subject (``table public.day, partition public.day_2027``). The name of a
partition counts by itself, too. ``*`` stands for any characters, ``?`` for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from pgrehearse.schema.compare import differences
from pgrehearse.schema.definition import Schema

__all__ = ["Ignored", "unused", "without"]

_KIND = re.compile(r"(?:[a-z]+ )+")
_Key = tuple[str, str]


@dataclass(frozen=True)
class Ignored:
    """How many differences a pattern took out, and why it may."""

    pattern: str
    reason: str
    count: int

    @property
    def said(self) -> str:
        """In a line."""
        if not self.count:
            return f"drift-ignore {self.pattern!r} matches nothing: if it never will, take it out"
        count = f"{self.count} difference{'s' if self.count > 1 else ''}"
        return f"{count} not counted, by drift-ignore {self.pattern!r}: {self.reason}"


def unused(patterns: Mapping[str, str]) -> tuple[Ignored, ...]:
    """All of them, where nothing differs."""
    return tuple(Ignored(pattern, reason, 0) for pattern, reason in patterns.items())


def without(
    found: Schema, wanted: Schema, patterns: Mapping[str, str]
) -> tuple[Schema, Schema, tuple[Ignored, ...]]:
    """Both schemas without the differences that a pattern matches, and how many each pattern did.

    A difference counts for each pattern that matches it.
    """
    if not patterns:
        return found, wanted, ()
    keys = differences(found, wanted).subjects
    matched = {pattern: {key for key in keys if _matches(pattern, key)} for pattern in patterns}
    gone = set().union(*matched.values())
    counted = tuple(Ignored(pattern, patterns[pattern], len(those)) for pattern, those in matched.items())
    return _less(found, gone), _less(wanted, gone), counted


def _matches(pattern: str, key: _Key) -> bool:
    return any(fnmatchcase(name, pattern) for name in _names(key))


def _names(key: _Key) -> Iterator[str]:
    about, subject = key
    yield about
    yield _KIND.sub("", about, count=1)
    yield f"{about}, {subject}"
    if subject.startswith("partition "):
        yield subject.removeprefix("partition ")


def _less(schema: Schema, gone: set[_Key]) -> Schema:
    if not gone:
        return schema
    items, dumped = (
        tuple(item for item in side if (item.object, item.subject) not in gone)
        for side in (schema.items, schema.dumped)
    )
    return replace(schema, items=items, dumped=dumped)
