"""What an event trigger noted of the commands of a statement: in which body each stood, see `note_ddl`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from pgrehearse.measurement.statement.client import Client
from pgrehearse.text.bodies import INLINE, UNREAD, Locking, in_one_line
from pgrehearse.text.reader import plain

__all__ = ["Noted", "forget", "left", "noted"]

_STACK = re.compile(
    r'(?:SQL statement "(?P<sql>.*?)"\n)?'
    r"(?:PL/pgSQL function (?P<name>.+?) line (?P<line>\d+) at (?P<how>[^\n]+)"
    r'|SQL function "(?P<sql_name>.+?)" statement (?P<number>\d+)'
    r'|(?P<other>PL/\w+ (?:function "[^\n]*"|anonymous code block)))',
    re.S,
)
_NOTED = "SELECT pg_catalog.current_setting('pgrehearse.noted', true)"
_FORGET = "SELECT pg_catalog.set_config('pgrehearse.noted', '', false)"


class Noted(NamedTuple):
    """One executed command: in which body, at which place of it, as a text given to EXECUTE, its own text."""

    name: str
    place: int
    executed: bool
    text: str


def forget(client: Client) -> None:
    """Begin anew."""
    client.rows(_FORGET)


def noted(client: Client) -> tuple[list[Noted], list[float]]:
    """The executed commands, and the lock_timeout at each, in seconds."""
    [(text,)] = client.rows(_NOTED)
    found, limits = [], []
    for note in (text or "").split("\x1e")[:-1]:
        limit, _, stack = note.partition("\x1f")
        limits.append(float(limit or 0) / 1000)
        match = _STACK.match(stack.partition("\n")[2])
        if match is None:
            continue
        if match["other"]:
            found.append(Noted(match["other"], 0, False, ""))
        elif match["sql_name"]:
            found.append(Noted(match["sql_name"], int(match["number"]), False, ""))
        else:
            text = in_one_line(match["sql"] or "")
            executed = match["how"] == "EXECUTE"
            found.append(Noted(_bare(match["name"]), int(match["line"]), executed, text))
    return found, limits


def _bare(signature: str) -> str:
    """The name in ``schema.name(arguments)``."""
    last = re.match(r'(?:(?:"(?:[^"]|"")+"|[^."(]+)\.)*(?P<name>"(?:[^"]|"")+"|[^."(]+)', signature)
    return plain(last["name"]) if last else signature


def left(name: str, statements: Sequence[Locking], notes: Sequence[Noted]) -> list[Locking]:
    """Those of ``statements``, in the body ``name``, that were not noted."""
    missing = []
    used: set[Noted] = set()
    for one in statements:
        match = next((note for note in notes if note not in used and _is(one, name, note)), None)
        if match is None:
            missing.append(one)
        elif one.executed or not one.place:
            used.add(match)
    return missing


def _is(one: Locking, name: str, note: Noted) -> bool:
    if not one.place:
        return note.place == 0 and (name in note.name or name == INLINE)
    if (note.name, note.place, note.executed) != (name, one.place, one.executed):
        return False
    if one.executed:
        return one.what == UNREAD or note.text.upper().startswith(one.what)
    return not note.text or note.text == one.text
