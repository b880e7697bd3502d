"""Recordings a guide declares in its front matter: the same change in an unsafe and in a safe way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pgrehearse.errors import DocumentError

__all__ = ["WAYS", "Fail", "Recording", "Way", "read"]

#: The ways of a recording, in the order they are run and drawn.
WAYS = ("unsafe", "safe")
#: (key, message, fix) -> the error with the line of the key.
Fail = Callable[[str, str, str], DocumentError]

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_KEYS = {"title", "rows", "tables", *WAYS}


@dataclass(frozen=True)
class Way:
    """One way to make a change: the ``cells`` of the document of these names, or the runbook ``runbook``."""

    name: str
    label: str
    cells: tuple[str, ...] = ()
    runbook: str = ""


@dataclass(frozen=True)
class Recording:
    """Both ways, each on example data with ``rows`` rows; the load sends requests to ``tables``."""

    name: str
    title: str
    rows: int
    tables: tuple[str, ...]
    ways: tuple[Way, ...]


def read(data: object, fail: Fail) -> dict[str, Recording]:
    """Read the value of ``recordings:``; None is none. Raises what ``fail`` makes for a wrong shape."""
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise fail("recordings", "recordings is not a mapping", "write name: {title, rows, tables, …}")
    return {str(name): _recording(str(name), value, fail) for name, value in data.items()}


def _recording(name: str, data: object, fail: Fail) -> Recording:
    def wrong(message: str, fix: str) -> DocumentError:
        return fail(name, f"recording {name!r} {message}", fix)

    if not _NAME.fullmatch(name):
        raise wrong("is no name", "use lower-case words with hyphens")
    if not isinstance(data, dict):
        raise wrong("is not a mapping", "give " + ", ".join(sorted(_KEYS)))
    if unknown := sorted(set(map(str, data)) - _KEYS):
        raise wrong(f"has an unknown key {unknown[0]!r}", "known: " + ", ".join(sorted(_KEYS)))
    if missing := sorted(_KEYS - set(data)):
        raise wrong(f"lacks {missing[0]}", "give " + ", ".join(sorted(_KEYS)))
    if type(data["rows"]) is not int or data["rows"] < 1:
        raise wrong("has no number of rows", "write rows: 400000")
    title, tables = data["title"], data["tables"]
    if not isinstance(title, str) or not isinstance(tables, str) or not tables.split():
        raise wrong("has a title or tables that are not text", "write tables: one_table another_table")
    ways = tuple(_way(way, data[way], wrong) for way in WAYS)
    return Recording(name, title, data["rows"], tuple(tables.split()), ways)


def _way(name: str, data: Any, wrong: Callable[[str, str], DocumentError]) -> Way:
    fix = f'write {name}: {{label: "what is done", cells: first-cell second-cell}}, or runbook: its-name'
    if not isinstance(data, dict) or not all(isinstance(value, str) and value for value in data.values()):
        raise wrong(f"does not say what is done in the way {name!r}", fix)
    if set(data) not in ({"label", "cells"}, {"label", "runbook"}):
        raise wrong(f"needs a label, and cells or a runbook, for the way {name!r}", fix)
    return Way(name, data["label"], tuple(data.get("cells", "").split()), data.get("runbook", ""))
