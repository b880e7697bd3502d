"""SQL that puts drift right, proven: carried out on a copy, which is then what the migrations make.

The copy is the scratch database, changed into what the live database is. So nothing is sent to the live one,
and no row is in reach. Functions that only the live database has get no body there: they are somebody's code,
and nothing of it runs here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import psycopg

from pgrehearse.errors import first_line
from pgrehearse.schema.compare import differences
from pgrehearse.schema.definition import Schema
from pgrehearse.schema.repair import RepairStep, steps
from pgrehearse.text.characters import visible

__all__ = ["BEFORE", "Copies", "Repair", "RepairStatement", "Unwritten", "repair"]

#: What a session says before it carries the statements out: names in them are qualified.
BEFORE = "SET search_path = ''; SET check_function_bodies = off"
_PASSES = 5
_ROUNDS = 10  # through what waits for something else
#: Differences that are worth it: with more of them it is another database.
_MOST = 500
#: A function made in this transaction keeps its form and loses its code.
_WITHOUT_CODE = """; UPDATE pg_catalog.pg_proc SET prolang = 12, prosrc = 'left out by pgrehearse',
 probin = NULL, prosqlbody = NULL
 WHERE xmin = pg_catalog.pg_current_xact_id()::pg_catalog.xid AND prokind <> 'a'"""
#: What a copy is never made to have: it would load a library, or connect to somebody.
_NOT_ON_A_COPY = re.compile(
    r"(?:CREATE|ALTER|DROP) SUBSCRIPTION |CREATE [^;]*\sLANGUAGE c\s"
    r"|ALTER (?:DATABASE|ROLE) .*preload_libraries",
    re.S,
)
_MAKES_CODE = re.compile(r"CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE) ")
_HOLDS_ROWS = """
SELECT a.attrelid, a.attnum
  FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
 WHERE c.relkind IN ('r', 'p', 'S') AND c.oid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped
"""
_TAKES_MORE = re.compile(r" CASCADE\b|DROP (?:EXTENSION|SCHEMA) ")
_TYPE = re.compile(r"(ALTER COLUMN \S+ TYPE ([^;]+?))(?= COLLATE |;|$)")
_OLDER = re.compile(r"ALTER EXTENSION (\S+) UPDATE TO ('.*')")


class Copies(Protocol):
    """Where databases can be copied and tried on."""

    def clone(self, name: str) -> str:
        """A database like ``name``; its name."""

    def attempt(self, name: str) -> AbstractContextManager[psycopg.Connection[Any]]:
        """A superuser's session there, in autocommit mode, in which no event trigger fires."""

    def read(self, name: str, named: set[str]) -> Schema:
        """What it defines."""

    def missing(self, error: psycopg.Error) -> bool:
        """Whether a role was missing that the live server has, and is there now."""

    def as_live(self) -> bool:
        """Take away the roles that the live server lacks. Whether there were any."""


@dataclass(frozen=True)
class RepairStatement:
    """SQL that was carried out, and the difference it is for."""

    object: str
    subject: str
    sql: str


@dataclass(frozen=True)
class Unwritten:
    """A difference without a proven statement. ``sql`` is what a person may think of; empty for many."""

    object: str
    subject: str
    reason: str
    sql: str = ""

    @property
    def said(self) -> str:
        """In a line: what, why not, and the statement for who knows better."""
        tail = f": {self.sql}" if self.sql else ""
        return f"not written for {self.object}, {self.subject}: {self.reason}{tail}"


@dataclass(frozen=True)
class Repair:
    """``statements`` in the order in which they work, and the differences that stay after them."""

    statements: tuple[RepairStatement, ...] = ()
    unwritten: tuple[Unwritten, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.statements or self.unwritten)

    @property
    def script(self) -> str:
        """All of it for psql, in order; what is not written as comments."""
        lines = [f"{part};" for part in BEFORE.split("; ")] if self.statements else []
        lines += [f"{one.sql};" for one in self.statements]
        # A carriage return in a name would end the comment, for psql too.
        reasons = (visible(f"-- {one.said}").replace("\n", "\n-- ") for one in self.unwritten)
        return "\n".join([*lines, *reasons, ""])

    def puts_right(self, object: str, subject: str) -> str:
        """The statements for one difference; empty where there are none."""
        return "; ".join(one.sql for one in self.statements if (one.object, one.subject) == (object, subject))

    def said(self, object: str, subject: str) -> str:
        """What puts one difference right, or why that is not written; empty where neither is known."""
        if sql := self.puts_right(object, subject):
            return f"undo it: {sql}; or write it as a migration (pgrehearse db new)"
        reasons = (one for one in self.unwritten if (one.object, one.subject) == (object, subject))
        return next((f"{one.said}; or write it as a migration (pgrehearse db new)" for one in reasons), "")

    def on(self, database: str) -> Repair:
        """The same with the database's own name in it."""
        name = '"' + database.replace('"', '""') + '"'
        name = database if re.fullmatch(r"[a-z_][a-z0-9_]*", database) else name
        return Repair(
            tuple(replace(one, sql=one.sql.replace(':"DBNAME"', name)) for one in self.statements),
            tuple(replace(one, sql=one.sql.replace(':"DBNAME"', name)) for one in self.unwritten),
        )


@dataclass
class _Run:
    """One way from what a copy is to ``target``.

    Attributes:
        everything: also what loses rows, and by any means: there are none in a copy.
        refused: what PostgreSQL said of a step that did not work, by its statement.
    """

    copies: Copies
    name: str
    named: set[str]
    target: Schema
    everything: bool
    done: list[RepairStatement] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    def go(self, now: Schema) -> Schema:
        """Carry out what there is to do until nothing more works; what the copy was and is then."""
        for _ in range(_PASSES):
            before = differences(now, self.target)
            if not before:
                break
            if not self._pass(steps(now, self.target)):
                self._pass(steps(now, self.target, renames=False))
            now = self.copies.read(self.name, self.named)
            if differences(now, self.target) == before:
                break
        return now

    def _pass(self, todo: list[RepairStep]) -> bool:
        """Carry out what works, in the order in which it works; whether anything did."""
        waiting = [step for step in todo if self.everything or not step.unsafe]
        count = len(waiting)
        with self.copies.attempt(self.name) as connection:
            for _ in range(_ROUNDS):
                rest = [step for step in waiting if not self._carried_out(connection, step)]
                if len(rest) == len(waiting):
                    break
                waiting = rest
        return len(waiting) < count

    def _carried_out(self, connection: psycopg.Connection[Any], step: RepairStep) -> bool:
        for sql in (*step.ways, *(_by_force(step, self.target) if self.everything else ())):
            said = self._try(connection, sql)
            if not said:
                self.done.append(RepairStatement(step.object, step.subject, sql))
                return True
            self.refused.setdefault(sql, said)
        return False

    def _try(self, connection: psycopg.Connection[Any], sql: str) -> str:
        """Carry out ``sql``, or say why not."""
        if self.everything and _NOT_ON_A_COPY.match(sql):
            return "it is not tried: it would load a library or connect to somebody"
        text = sql.replace(':"DBNAME"', f'"{self.name}"')
        if self.everything and _MAKES_CODE.search(text):
            text += _WITHOUT_CODE
        try:
            if self.everything or not _TAKES_MORE.search(text):
                connection.execute(text.encode())
                return ""
            with connection.transaction():
                before = set(connection.execute(_HOLDS_ROWS.encode()).fetchall())
                connection.execute(text.encode())
                if before - set(connection.execute(_HOLDS_ROWS.encode()).fetchall()):
                    raise psycopg.errors.DependentObjectsStillExist("it would take columns with rows along")
        except psycopg.Error as error:
            return self._try(connection, sql) if self.copies.missing(error) else first_line(error)
        return ""


def _by_force(step: RepairStep, target: Schema) -> Iterator[str]:
    """What only a database without rows takes, and only a superuser may."""
    if step.subject == "table" and not step.ways:
        yield f"DROP {step.object.replace('table', 'TABLE', 1)} CASCADE"  # the next pass makes it
    for sql in step.ways:
        if re.match(r"DROP |ALTER TABLE .* DROP (?:CONSTRAINT|COLUMN) ", sql):
            yield f"{sql} CASCADE"
        if _TYPE.search(sql):
            yield _TYPE.sub(r"\1 USING NULL::\2", sql)
        if found := _OLDER.fullmatch(sql):
            create = f"CREATE EXTENSION {found[1]} WITH SCHEMA public VERSION {found[2]}"
            yield f"DROP EXTENSION {found[1]} CASCADE; {create}"
    for item in target.items:
        if (item.object, item.subject) != (step.object, step.subject):
            continue
        if item.sql.startswith("-- INVALID: "):
            name = step.subject.removeprefix("index ").replace("'", "''")
            yield (
                f"{item.sql.removeprefix('-- INVALID: ')}; UPDATE pg_catalog.pg_index SET indisvalid = false"
                f" WHERE indexrelid = '{name}'::pg_catalog.regclass"
            )
        elif found := re.match(r"CREATE TYPE (\S+) AS ENUM \((.*)\)$", item.sql, re.S):
            yield _labels(found[1], [one.strip() for one in found[2].split(",\n")])


def _labels(name: str, labels: list[str]) -> str:
    """Make these the labels of an enum, in this order; those that stay are the same to what names them."""
    quoted = name.replace("'", "''")
    enum = f"enumtypid = '{quoted}'::pg_catalog.regtype"
    todo = [f"ALTER TYPE {name} ADD VALUE IF NOT EXISTS {label}" for label in labels]
    todo += [
        f"DELETE FROM pg_catalog.pg_enum WHERE {enum} AND enumlabel <> ALL (ARRAY[{', '.join(labels)}])",
        f"UPDATE pg_catalog.pg_enum SET enumsortorder = enumsortorder + 10000 WHERE {enum}",
    ]
    todo += [
        f"UPDATE pg_catalog.pg_enum SET enumsortorder = {at} WHERE {enum} AND enumlabel = {label}"
        for at, label in enumerate(labels, 1)
    ]
    return "; ".join(todo)


def repair(copies: Copies, name: str, found: Schema, wanted: Schema, named: set[str]) -> Repair:
    """What makes of a database that is ``found`` one that is ``wanted``, as far as that can be written.

    Args:
        name: of a database that is ``wanted``.
        named: roles whose existence belongs to the schema.
    """
    if len(keys := differences(found, wanted).subjects) > _MOST:
        reason = f"there are {len(keys)} differences: this is another database"
        return Repair(unwritten=(Unwritten("all of it", "every difference", reason),))
    copy = copies.clone(name)
    start = _Run(copies, copy, named, found, everything=True).go(copies.read(copy, named))
    if copies.as_live():
        start = copies.read(copy, named)
    run = _Run(copies, copy, named, wanted, everything=False)
    end = run.go(start)
    unlike = {key for key in differences(start, found).subjects if not _left_out(key)}
    left = set(differences(end, wanted).subjects)
    differ = set(differences(found, wanted).subjects)
    guesses = {(step.object, step.subject): step for step in steps(found, wanted, renames=False)}
    lost = {key: step.object for key, step in guesses.items() if step.unsafe and key in left and _whole(key)}
    unwritten = [
        _unwritten(key, guesses.get(key), run.refused, untried=key in unlike and key not in left)
        for key in sorted(left | (unlike & differ))
        if key[0] not in lost.values() or key in lost
    ]
    written = tuple(one for one in run.done if (one.object, one.subject) not in unlike)
    return Repair(written, tuple(unwritten))


def _unwritten(
    key: tuple[str, str], step: RepairStep | None, refused: dict[str, str], *, untried: bool
) -> Unwritten:
    sql = "; ".join(step.ways[:1]) if step else ""
    if step and step.unsafe:
        return Unwritten(*key, step.unsafe, sql)
    if said := refused.get(sql):
        return Unwritten(*key, f"PostgreSQL refuses it: {said}", sql)
    if untried and sql:
        return Unwritten(*key, "a copy could not be made to differ in this, so it was not tried", sql)
    return Unwritten(*key, "no statement is known that does it", sql)


def _left_out(key: tuple[str, str]) -> bool:
    """Whether a copy has a form of this on purpose that the live database has not: code."""
    member = key[0].startswith("extension ") and key[1].startswith("member ")
    return key[1] in ("function", "procedure") or (member and "(" in key[1])


def _whole(key: tuple[str, str]) -> bool:
    """Whether the rest that is said of the object goes with this."""
    return key[1] in ("table", "sequence", "subscription")
