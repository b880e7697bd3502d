"""What functions, procedures and DO blocks of a file hold and did not do where it was measured.

A branch may depend on rows, on who is connected, on settings or on the time, and what an exception undoes has
given its locks back before anybody looks. So the statements of a file are run once more, on a copy where an
event trigger notes what is executed in which body. What a body holds by which tables are locked, and was not
noted there, nobody saw.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from psycopg.sql import SQL, Identifier

from pgrehearse import queries
from pgrehearse.connections import connect
from pgrehearse.errors import DocumentError
from pgrehearse.measurement.statement import observing, transactional
from pgrehearse.measurement.statement.client import Client, Clones
from pgrehearse.measurement.statement.facts import MODES, Facts
from pgrehearse.measurement.xray_steps import FileStatement, ends, opens
from pgrehearse.text.bodies import (
    INLINE,
    UNREAD,
    Locking,
    calls,
    held,
    in_one_line,
    inline,
    locks,
    tells_nobody,
)
from pgrehearse.text.reader import plain
from pgrehearse.text.statement import classify

__all__ = ["Untaken", "found_nothing", "look", "unseen"]

#: Statements that may carry out a function they name. CREATE without AS names functions in what it makes.
_CARRY_OUT = [
    (verb,)
    for verb in (
        *("alter", "call", "copy", "do", "execute", "explain", "select", "values", "with"),
        *("delete", "insert", "merge", "refresh", "update"),
    )
]
_STACK = re.compile(
    r'(?:SQL statement "(?P<sql>.*?)"\n)?'
    r"(?:PL/pgSQL function (?P<name>.+?) line (?P<line>\d+) at (?P<how>[^\n]+)"
    r'|SQL function "(?P<sql_name>.+?)" statement (?P<number>\d+)'
    r'|(?P<other>PL/\w+ (?:function "[^\n]*"|anonymous code block)))',
    re.S,
)
_NOTED = "SELECT pg_catalog.current_setting('pgrehearse.noted', true)"
_FORGET = "SELECT pg_catalog.set_config('pgrehearse.noted', '', false)"
_CALLED = "SELECT funcid::pg_catalog.int8, calls FROM pg_catalog.{}"


class Routine(NamedTuple):
    oid: int
    name: str
    language: str
    body: str


class Noted(NamedTuple):
    """One executed command: in which body, at which place of it, as a text given to EXECUTE, its own text."""

    name: str
    place: int
    executed: bool
    text: str


@dataclass(frozen=True)
class Untaken:
    """A statement that was not noted: in the routine ``name``, or in the DO block itself."""

    held: Locking
    name: str = ""

    @property
    def said(self) -> str:
        """It in a few words."""
        where = f" in {self.name}()" if self.name else ""
        if self.held.what == UNREAD:
            return f"what EXECUTE{where} is given could not be read, and locked nothing that was seen here"
        what = f"{self.held.what}{where}" if where else f"its {self.held.what}"
        return f"{what} did not run here, or was undone"


def unseen(untaken: Iterable[Untaken], facts: Facts) -> tuple[str, ...]:
    """What is not known by ``facts`` either: what event triggers do not hear of, locks may tell."""
    strong = {
        name.rpartition(".")[2].strip('"')
        for name, mode in facts.locks.items()
        if MODES.index(mode) >= MODES.index("SHARE")
    }
    new = {name.rpartition(".")[2].strip('"') for name in facts.rewrites}

    def locked(one: Locking) -> bool:
        if not tells_nobody(one.what):
            return False
        found = new if one.what in ("TRUNCATE", "CLUSTER") else strong
        return one.table in found if one.table else bool(found)

    return tuple(dict.fromkeys(one.said for one in untaken if not locked(one.held)))


def found_nothing(sql: str, facts: Facts) -> tuple[str, ...]:
    """The same of an ALTER ... IF EXISTS by which nothing was locked."""
    words = classify(sql).words
    if words[:1] != ("alter",) or "if exists" not in " ".join(words[:5]) or facts.locks:
        return ()
    return (f"its {' '.join(words[: words.index('if')]).upper()} found nothing here",)


def look(
    clones: Clones,
    todo: Sequence[FileStatement],
    leave: Callable[[FileStatement], bool],
    settings: Sequence[str],
) -> Mapping[int, list[Untaken]]:
    """What of each statement of ``todo``, by its number, was not noted; no more after one that fails.

    Args:
        leave: whether a statement is left out.
        settings: SET statements that hold from the beginning.
    """
    with Client(clones.server.dsn(clones.template)) as client:
        there = any(locks(one.body) for one in _routines(client))
    if not there and not any(_has_body(step.statement) and locks(step.statement) for step in todo):
        return {}
    name = clones.create()
    try:
        with connect(clones.server.watching.dsn(name), autocommit=True) as watching:
            watching.execute(queries.text("note_ddl"))
            watching.execute(SQL("ALTER DATABASE {} SET track_functions = 'all'").format(Identifier(name)))
        with Client(clones.server.dsn(name)) as client:
            observing.prepare(client, settings)
            return _Look(client, leave).through(todo)
    finally:
        clones.drop(name)


def _has_body(sql: str) -> bool:
    kind = classify(sql)
    return kind.verb == "do" or kind.routine


def _routines(client: Client) -> list[Routine]:
    return [Routine(*row) for row in client.rows(queries.text("routines"))]


class _Look:
    def __init__(self, client: Client, leave: Callable[[FileStatement], bool]) -> None:
        self.client, self._leave = client, leave

    def through(self, todo: Sequence[FileStatement]) -> dict[int, list[Untaken]]:
        found: dict[int, list[Untaken]] = {}
        block = 0
        for number, step in enumerate(todo):
            if step.block != block:
                if block and not ends(todo[number - 1]):
                    self.client.run("COMMIT")
                block = step.block
                if block and not opens(step):
                    self.client.run("BEGIN")
            if self._leave(step):
                continue
            try:
                refused, untaken = self._one(step)
            except DocumentError:
                break
            if refused:
                break
            if untaken:
                found[number] = untaken
        return found

    def _one(self, step: FileStatement) -> tuple[str, list[Untaken]]:
        """The SQLSTATE it raised, and what it holds and was not noted."""
        kind = classify(step.statement)
        if kind.control or kind.settings:
            return self.client.run(step.statement, step.rows), []
        alone = not step.block
        if alone:
            self.client.run("BEGIN")
        self.client.rows(_FORGET)
        called, written = self._called(), self._written()
        refused = self.client.run(step.statement, step.rows)
        if refused and alone and transactional.refuses(self.client):
            self.client.rows("ROLLBACK")
            return self._plainly(step)
        if refused:
            return refused, []
        new = {oid for oid, count in self._called().items() if called.get(oid) != count}
        if _carries_out(kind.words, step.statement):
            new |= {
                oid
                for table, oid in self._written()
                if (table, oid) not in written or re.search(rf"\b{re.escape(table)}\b", step.statement, re.I)
            }
        found = self._untaken(step.statement, new)
        return (self.client.run("COMMIT") if alone else ""), found

    def _plainly(self, step: FileStatement) -> tuple[str, list[Untaken]]:
        """The same of a statement that wants no transaction around it."""
        called = self._called(flushed=True)
        self.client.rows(_FORGET)
        if refused := self.client.run(step.statement, step.rows):
            return refused, []
        now = self._called(flushed=True)
        new = {oid for oid, count in now.items() if called.get(oid) != count}
        return "", self._untaken(step.statement, new)

    def _called(self, *, flushed: bool = False) -> dict[int, int]:
        """How often each function was called in this transaction, or ever."""
        if flushed:
            self.client.rows("SELECT pg_catalog.pg_stat_force_next_flush()")
        view = "pg_stat_user_functions" if flushed else "pg_stat_xact_user_functions"
        return dict(self.client.rows(_CALLED.format(view)))

    def _written(self) -> set[tuple[str, int]]:
        return {(table, oid) for table, oid in self.client.rows(queries.text("routines_of_tables"))}

    def _untaken(self, sql: str, called: set[int]) -> list[Untaken]:
        """What ``sql`` holds, with the routines of ``called`` and those they name, and was not noted."""
        noted = _noted(self.client)
        found: list[Untaken] = []
        kind = classify(sql)
        if kind.verb == "do":
            language, body = inline(sql)
            found += [Untaken(one) for one in _left(INLINE, held(body, language), noted)]
        everything = _routines(self.client)
        names = calls(sql) if _carries_out(kind.words, sql) else frozenset()
        for routine in _reached(everything, called, names):
            missing = _left(routine.name, held(routine.body, routine.language), noted)
            found += [Untaken(one, routine.name) for one in missing]
        return found


def _carries_out(words: Sequence[str], sql: str) -> bool:
    if words[:1] == ("create",):
        return bool({"table", "materialized"} & {*words[1:4]}) and " as " in in_one_line(sql).lower()
    return words[:1] in _CARRY_OUT


def _reached(routines: Sequence[Routine], called: set[int], names: frozenset[str]) -> list[Routine]:
    """The routines ``called`` or of ``names``, and those that they name in turn."""
    reached = {one.oid: one for one in routines if one.oid in called or one.name.lower() in names}
    todo = list(reached.values())
    while todo:
        named = calls(todo.pop().body)
        more = [one for one in routines if one.oid not in reached and one.name.lower() in named]
        reached |= {one.oid: one for one in more}
        todo += more
    return [one for one in routines if one.oid in reached]


def _noted(client: Client) -> list[Noted]:
    [(text,)] = client.rows(_NOTED)
    found = []
    for stack in (text or "").split("\x1e"):
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
    return found


def _bare(signature: str) -> str:
    """The name in ``schema.name(arguments)``."""
    last = re.match(r'(?:(?:"(?:[^"]|"")+"|[^."(]+)\.)*(?P<name>"(?:[^"]|"")+"|[^."(]+)', signature)
    return plain(last["name"]) if last else signature


def _left(name: str, statements: Sequence[Locking], noted: Sequence[Noted]) -> list[Locking]:
    """Those of ``statements``, in the body ``name``, that were not noted."""
    left = []
    used: set[Noted] = set()
    for one in statements:
        match = next((note for note in noted if note not in used and _is(one, name, note)), None)
        if match is None:
            left.append(one)
        elif one.executed or not one.place:
            used.add(match)
    return left


def _is(one: Locking, name: str, note: Noted) -> bool:
    if not one.place:
        return note.place == 0 and (name in note.name or name == INLINE)
    if (note.name, note.place, note.executed) != (name, one.place, one.executed):
        return False
    if one.executed:
        return one.what == UNREAD or note.text.upper().startswith(one.what)
    return not note.text or note.text == one.text
