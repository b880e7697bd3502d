"""What functions, procedures and DO blocks of a file hold and did not do where it was measured.

A branch may depend on rows, on who is connected, on settings or on the time, and what an exception undoes has
given its locks back before anybody looks. So the statements of a file are run once more, on a copy where an
event trigger notes what is executed in which body. What a body holds by which tables are locked, and was not
noted there, nobody saw.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import psycopg
from psycopg.sql import SQL, Identifier

from pgrehearse import queries
from pgrehearse.connections import connect
from pgrehearse.errors import DocumentError
from pgrehearse.measurement.noted import forget, left, noted
from pgrehearse.measurement.statement import observing, transactional
from pgrehearse.measurement.statement.client import Client, Clones
from pgrehearse.measurement.statement.facts import MODES, Facts
from pgrehearse.measurement.unwatched import of_body, told, unwatched
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
from pgrehearse.text.statement import Kind, classify

__all__ = ["Untaken", "look", "unseen"]

#: Statements that may carry out a function they name. CREATE without AS names functions in what it makes.
_IF = re.compile(r"\bwhere\b.*(?:\(|\b(?:current|session|local)\w*|\buser\b)", re.I | re.S)
_CARRY_OUT = [
    (verb,)
    for verb in (
        *("alter", "call", "copy", "do", "execute", "explain", "select", "values", "with"),
        *("delete", "insert", "merge", "refresh", "update"),
    )
]
#: The lock_timeout, in seconds, that holds until code sets another one.
_UNTOUCHED = 7.777
_CHANGES = ("UPDATE", "DELETE", "MERGE")
#: A condition that holds for all rows or none, unless the planner knows that it holds for none.
_ONCE = re.compile(r"One-Time Filter: (?!false$)", re.M)
_CALLED = "SELECT funcid::pg_catalog.int8, calls FROM pg_catalog.{}"


class Routine(NamedTuple):
    """A function or procedure that a file may call: ``body`` is its text, in ``language``."""

    oid: int
    name: str
    language: str
    body: str


@dataclass(frozen=True)
class Untaken:
    """A statement that was not noted: in the routine ``name``, or in the DO block itself.

    Without ``held``, the statement's own condition, which holds for all rows or none, and did not here; or
    ``other``, what no lock tells.
    """

    held: Locking | None
    name: str = ""
    other: str = ""

    @property
    def said(self) -> str:
        """It in a few words."""
        if self.held is None:
            return self.other or "its condition, which is not one on rows, did not hold here"
        where = f" in {self.name}()" if self.name else ""
        if self.held.what == UNREAD:
            return f"what EXECUTE{where} is given could not be read, and locked nothing that was seen here"
        what = f"{self.held.what}{where}" if where else f"its {self.held.what}"
        return f"{what} did not run here, or was undone"


def unseen(untaken: Iterable[Untaken], facts: Facts) -> tuple[str, ...]:
    """What is not known by ``facts`` either: what event triggers do not hear of, locks may tell."""

    def at_least(least: str) -> set[str]:
        return {_last(name) for name, mode in facts.locks.items() if MODES.index(mode) >= MODES.index(least)}

    strong, written, new = at_least("SHARE"), at_least("ROW EXCLUSIVE"), {*map(_last, facts.rewrites)}

    def locked(one: Locking | None) -> bool:
        if one is None or not tells_nobody(one.what):
            return False
        found = new if one.what in ("TRUNCATE", "CLUSTER") else strong
        found = written if one.what.startswith(_CHANGES) else found
        return one.table in found if one.table else bool(found)

    return tuple(dict.fromkeys(one.said for one in untaken if not locked(one.held)))


def _last(name: str) -> str:
    return name.rpartition(".")[2].strip('"')


def look(
    clones: Clones,
    todo: Sequence[FileStatement],
    leave: Callable[[FileStatement], bool],
    settings: Sequence[str],
) -> tuple[Mapping[int, list[Untaken]], Mapping[int, float]]:
    """What of each statement of ``todo``, by its number, was not noted; no more after one that fails.

    And the weakest lock_timeout that held at it and in it, in seconds, 0 for none, where code has set one.

    Args:
        leave: whether a statement is left out.
        settings: SET statements that hold from the beginning.
    """
    with Client(clones.server.dsn(clones.template)) as client:
        there = any(locks(one.body) for one in _routines(client))
    if not there and not any(map(_matters, todo)):
        return {}, {}
    name = clones.create()
    try:
        with connect(clones.server.watching.dsn(name), autocommit=True) as watching:
            watching.execute(queries.text("note_ddl"))
            watching.execute(SQL("ALTER DATABASE {} SET track_functions = 'all'").format(Identifier(name)))
        with Client(clones.server.dsn(name)) as client:
            observing.prepare(client, settings)
            client.run(f"SET lock_timeout = '{_UNTOUCHED * 1000:.0f}ms'")
            return _Look(client, leave).through(todo)
    finally:
        clones.drop(name)


def _matters(step: FileStatement) -> bool:
    """Whether ``step`` may hold what is looked for."""
    sql, kind = step.statement, classify(step.statement)
    if kind.verb == "do" or kind.routine:
        return locks(sql)
    if told(sql):
        return True
    if kind.verb in ("select", "update", "with") and "lock_timeout" in sql.lower():
        return True
    return _conditional(kind, sql)


def _conditional(kind: Kind, sql: str) -> bool:
    return (
        kind.changes_rows
        and kind.verb in ("update", "delete", "merge", "insert", "with")
        and _IF.search(sql) is not None
    )


def _routines(client: Client) -> list[Routine]:
    return [Routine(*row) for row in client.rows(queries.text("routines"))]


class _Look:
    def __init__(self, client: Client, leave: Callable[[FileStatement], bool]) -> None:
        self.client, self._leave = client, leave
        self._limit = 0.0

    def through(self, todo: Sequence[FileStatement]) -> tuple[dict[int, list[Untaken]], dict[int, float]]:
        found: dict[int, list[Untaken]] = {}
        limits: dict[int, float] = {}
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
                self._limit = self._timeout()
                refused, untaken = self._one(step)
            except DocumentError:
                break
            if refused:
                break
            if self._limit != _UNTOUCHED:
                limits[number] = self._limit
            if untaken:
                found[number] = untaken
        return found, limits

    def _timeout(self) -> float:
        [(value,)] = self.client.rows(
            "SELECT setting::pg_catalog.float8 FROM pg_catalog.pg_settings WHERE name = 'lock_timeout'"
        )
        return float(value) / 1000

    def _one(self, step: FileStatement) -> tuple[str, list[Untaken]]:
        """The SQLSTATE it raised, and what it holds and was not noted."""
        kind = classify(step.statement)
        if kind.control or kind.settings:
            return self.client.run(step.statement, step.rows), []
        alone = not step.block
        if alone:
            self.client.run("BEGIN")
        forget(self.client)
        called, written = self._called(), self._written()
        once, changed = _conditional(kind, step.statement) and self._once(step.statement), self._changed()
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
        if once and self._changed() == changed:
            found.append(Untaken(None))
        return (self.client.run("COMMIT") if alone else ""), found

    def _plainly(self, step: FileStatement) -> tuple[str, list[Untaken]]:
        """The same of a statement that wants no transaction around it."""
        called = self._called(flushed=True)
        forget(self.client)
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

    def _once(self, sql: str) -> bool:
        """Whether a condition of ``sql`` is one that holds for all rows or none."""
        self.client.rows("SAVEPOINT pgrehearse_plan")
        try:
            plan = self.client.rows(f"EXPLAIN (COSTS OFF) {sql}")
        except psycopg.Error:
            plan = []
        self.client.rows("ROLLBACK TO SAVEPOINT pgrehearse_plan; RELEASE SAVEPOINT pgrehearse_plan")
        return _ONCE.search("\n".join(line for (line,) in plan)) is not None

    def _changed(self) -> object:
        return self.client.rows(
            "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_catalog.pg_stat_xact_user_tables"
        )

    def _written(self) -> set[tuple[str, int]]:
        return {(table, oid) for table, oid in self.client.rows(queries.text("routines_of_tables"))}

    def _untaken(self, sql: str, called: set[int]) -> list[Untaken]:
        """What ``sql`` holds, with the routines of ``called`` and those they name, and was not noted."""
        notes, limits = noted(self.client)
        self._limit = min((self._limit, *limits), key=lambda limit: -limit if limit else -math.inf)
        found = [Untaken(None, other=said) for said in unwatched(sql, self.client.skipped)]
        kind = classify(sql)
        if kind.verb == "do" and not found:
            language, body = inline(sql)
            found += [Untaken(one) for one in left(INLINE, held(body, language, rows=True), notes)]
        everything = _routines(self.client)
        names = calls(sql) if _carries_out(kind.words, sql) else frozenset()
        for routine in _reached(everything, called, names):
            missing = left(routine.name, held(routine.body, routine.language), notes)
            found += [Untaken(one, routine.name) for one in missing]
            found += [Untaken(None, other=f"of {routine.name}(): {said}") for said in of_body(routine.body)]
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
