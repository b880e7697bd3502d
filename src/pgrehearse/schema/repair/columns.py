"""Columns, identities and the heads of tables: from one form to another by ALTER TABLE."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgrehearse.schema.kinds import IDENTIFIER, NAME
from pgrehearse.schema.repair.outlines import clause, options_changed, within

__all__ = ["changed_column", "changed_head", "changed_identity", "numbers_on"]

_ADD = re.compile(
    rf"(?P<table>ALTER (?:FOREIGN )?TABLE (?:ONLY )?{NAME}) ADD COLUMN (?P<name>{IDENTIFIER}) ", re.S
)
_ENDS = (r" COLLATE ", r" DEFAULT ", r" GENERATED ALWAYS AS ", r" CONSTRAINT ", r" NOT NULL", r" OPTIONS ")
_INTEGERS = ("smallint", "integer", "bigint")
_TEXTS = re.compile(r"text|(?:character varying|varchar)(?:\(\d+\))?|public\.citext")
_NUMERIC = re.compile(r"numeric(?:\((?P<precision>\d+)(?:,(?P<scale>-?\d+))?\))?")


@dataclass(frozen=True)
class _Column:
    table: str
    name: str
    type: str
    collate: str
    default: str
    generated: str
    not_null: str

    @property
    def alter(self) -> str:
        return f"{self.table} ALTER COLUMN {self.name}"


def _column(sql: str) -> _Column | None:
    head = _ADD.match(sql)
    if head is None:
        return None
    rest = " " + sql[head.end() :]
    return _Column(
        head["table"],
        head["name"],
        clause(rest, "", *_ENDS).strip(),
        clause(rest, "COLLATE ", *_ENDS),
        clause(rest, "DEFAULT ", r" CONSTRAINT ", r" NOT NULL", r" OPTIONS "),
        clause(rest, "GENERATED ALWAYS AS ", r" CONSTRAINT ", r" NOT NULL"),
        "NOT NULL" + clause(rest, "NOT NULL") if re.search(r" NOT NULL(?: NO INHERIT)?$", rest) else "",
    )


def changed_column(old: str, new: str) -> tuple[str, str]:
    """The statements that make the second column of the first, and why a person has to decide about them."""
    here, there = _column(old), _column(new)
    if here is None or there is None or here.name != there.name:
        return "", "this change of a column is not understood"
    alter, todo, lost = there.alter, [], ""
    if here.generated != there.generated:
        if there.generated and here.generated and not there.generated.endswith("VIRTUAL"):
            lost = ""  # what is computed can be computed again
        elif there.generated:
            lost = "it would lose what is in the column"
        if not there.generated and here.generated.endswith("STORED"):
            todo.append(f"{alter} DROP EXPRESSION")
        else:
            name = there.name
            rest = new[_length(new) :]
            return f"{there.table} DROP COLUMN {name}; {there.table} ADD COLUMN {name} {rest}", lost
    default_first = here.type != there.type and here.default and here.default != there.default
    if default_first:
        todo.append(f"{alter} DROP DEFAULT")
    if (here.type, here.collate) != (there.type, there.collate):
        lost = "" if _fits(here.type, there.type) else f"{there.type} may not hold what {here.type} holds"
        collate = there.collate or ('pg_catalog."default"' if here.collate else "")
        todo.append(f"{alter} TYPE {there.type}" + (f" COLLATE {collate}" if collate else ""))
    if here.default != there.default or (default_first and there.default):
        todo.append(f"{alter} SET DEFAULT {there.default}" if there.default else f"{alter} DROP DEFAULT")
    if here.not_null != there.not_null:
        todo.append(f"{alter} {'SET' if there.not_null else 'DROP'} NOT NULL")
    return "; ".join(todo), lost


def _length(sql: str) -> int:
    head = _ADD.match(sql)
    return head.end() if head else 0


def _fits(old: str, new: str) -> bool:
    """Whether PostgreSQL takes each value as it is, or refuses the change."""
    if old == new or (_TEXTS.fullmatch(old) and _TEXTS.fullmatch(new)):
        return True
    if old in _INTEGERS and (new in _INTEGERS or new == "numeric"):
        return True
    was, wants = _NUMERIC.fullmatch(old), _NUMERIC.fullmatch(new)
    if was is None or wants is None:
        return False
    if wants["precision"] is None:
        return True
    return was["precision"] is not None and int(was["scale"] or 0) <= int(wants["scale"] or 0)


def changed_identity(old: str, new: str) -> str:
    """Another kind or other numbers; the sequence stays where it is."""
    alter = re.match(rf"ALTER TABLE (?:ONLY )?{NAME} ALTER COLUMN {IDENTIFIER} ", new)
    kind = re.search(r"ADD GENERATED (ALWAYS|BY DEFAULT) AS IDENTITY", new)
    if alter is None or kind is None:
        return ""
    names = [re.search(rf"SEQUENCE NAME ({NAME})", sql) for sql in (old, new)]
    start = ""
    if names[0] and names[1] and names[0][1] != names[1][1]:
        start = f"ALTER SEQUENCE {names[0][1]} RENAME TO {re.findall(IDENTIFIER, names[1][1])[-1]}; "
    words = [f"SET {one}" for one in numbers_on(new)]
    return f"{start}{alter[0]}SET GENERATED {kind[1]} {' '.join(words)}"


def numbers_on(sql: str) -> list[str]:
    """What a sequence's statement says of its numbers; what it does not say, as it is by default."""
    found = re.findall(
        r"(START WITH -?\d+|INCREMENT BY -?\d+|(?:NO M|M)(?:IN|AX)VALUE(?: -?\d+)?|CACHE \d+)",
        sql,
    )
    return [*found, "CYCLE" if re.search(r"(?<!NO )\bCYCLE\b", sql) else "NO CYCLE"]


def changed_head(old: str, new: str) -> tuple[str, str]:
    """The statements that make the second head of a table of the first, and why not if they cannot."""
    head = re.match(rf"CREATE (?:UNLOGGED )?(?:(FOREIGN) )?TABLE ({NAME})", new)
    if head is None or clause(old, "PARTITION BY ") != clause(new, "PARTITION BY "):
        return "", "it is partitioned in another way, so rows would have to be moved"
    table = f"ALTER {'FOREIGN ' if head[1] else ''}TABLE {head[2]}"
    todo = []
    logged = [sql.startswith("CREATE UNLOGGED") for sql in (old, new)]
    if logged[0] != logged[1]:
        todo.append(f"{table} SET {'UNLOGGED' if logged[1] else 'LOGGED'}")
    parents = [within(sql, "INHERITS") for sql in (old, new)]
    todo += [f"{table} NO INHERIT {one}" for one in parents[0] if one not in parents[1]]
    todo += [f"{table} INHERIT {one}" for one in parents[1] if one not in parents[0]]
    todo += set_options(table, old, new)
    if changed := options_changed(old, new):
        todo.append(f"{table} {changed}")
    types = [re.match(rf"CREATE (?:UNLOGGED )?TABLE {NAME} OF ({NAME})", sql) for sql in (old, new)]
    if types[1] and (not types[0] or types[0][1] != types[1][1]):
        todo.append(f"{table} OF {types[1][1]}")
    elif types[0] and not types[1]:
        todo.append(f"{table} NOT OF")
    return "; ".join(todo), ""


def set_options(alter: str, old: str, new: str) -> list[str]:
    """SET and RESET of storage options that differ."""
    had, wants = (
        dict(one.replace(" = ", "=").partition("=")[::2] for one in within(sql, "WITH")) for sql in (old, new)
    )
    gone = [name for name in had if name not in wants]
    other = [f"{name}={value}" for name, value in wants.items() if had.get(name) != value]
    return [f"{alter} RESET ({', '.join(gone)})"] * bool(gone) + [f"{alter} SET ({', '.join(other)})"] * bool(
        other
    )
