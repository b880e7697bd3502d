"""What would have to be done, difference by difference, to make one definition of another.

Nothing is tried here, and the order is only a good guess: who carries the steps out finds the true one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pgrehearse.schema.definition import Schema
from pgrehearse.schema.items import Item
from pgrehearse.schema.kinds import IDENTIFIER, NAME
from pgrehearse.schema.repair.changing import changed, created
from pgrehearse.schema.repair.undoing import GRANTOR, loses, undone

__all__ = ["RepairStep", "steps"]

_Key = tuple[str, str]
_Groups = dict[_Key, list[Item]]
_PART = re.compile(rf"ALTER (?:FOREIGN )?TABLE (?!ONLY ){NAME} ADD (?:COLUMN )?(?P<text>.*)", re.S)
#: PostgreSQL does not show it, so a definition holds a mark in its place.
_HIDDEN = re.compile(r"'hidden [0-9a-f]+'|password=hidden", re.I)
_HEADS = (
    "aggregate", "collation", "domain", "event trigger", "extension", "function", "procedure", "publication",
    "schema", "sequence", "server", "subscription", "table", "text search configuration",
    "text search dictionary", "type", "view",
)  # fmt: skip


@dataclass(frozen=True)
class RepairStep:
    """How one difference goes away.

    Attributes:
        object, subject: of the difference.
        ways: statements, joined by ``; `` where it takes several; the gentlest first. None where no statement
            is known.
        unsafe: why a person has to decide about it, such as rows that it would lose; empty for most.
    """

    object: str
    subject: str
    ways: tuple[str, ...]
    unsafe: str = ""


def steps(found: Schema, wanted: Schema, *, renames: bool = True) -> list[RepairStep]:
    """What makes ``wanted`` of ``found``: away with what is too much, last made first; then what is missing.

    Args:
        renames: where something is missing and the same is there under another name, only the renames are
            returned: what else differs is seen after them.
    """
    here, there = _grouped(found), _grouped(wanted)
    left = {key: [one for one in items if one not in there.get(key, ())] for key, items in here.items()}
    right = {key: [one for one in items if one not in here.get(key, ())] for key, items in there.items()}
    left, right = ({key: items for key, items in side.items() if items} for side in (left, right))
    if renames and (named := [*_tables(left, right), *_parts(left, right)]):
        return named
    members = {key[1].removeprefix("member ") for key in (*left, *right) if _is_member(key)}
    moved = {key[0] for key in (*left, *right) if key[0].partition(" ")[2] in members}
    left, right = (
        {key: items for key, items in side.items() if key[0] not in moved} for side in (left, right)
    )  # what goes into an extension, or comes out of one, is neither made nor dropped
    keys = [key for key in reversed(left) if key not in right]
    gone = {key[0] for key in keys if _is_head(left[key])}
    away = [
        step
        for key in keys
        if key[0] not in gone or _is_head(left[key])
        for step in _away(key, left[key], here, there)
    ]
    new = {key[0] for key in right if key not in left and key[1] == "table"}
    made = [step for key in right for step in _made(key, left, right, here, there, whole=key[0] in new)]
    return [*away, *made]


def _tables(left: _Groups, right: _Groups) -> Iterator[RepairStep]:
    """A table too much and a table missing that have the same columns, if each is the only one."""
    sides = []
    for side, opposite in ((left, right), (right, left)):
        names = [key[0] for key in side if key[1] == "table" and key not in opposite]
        sides.append({name: _columns_of(name, side) for name in names})
    for old, columns in sides[0].items():
        same = [name for name, others in sides[1].items() if others == columns]
        if not columns or len(same) != 1 or list(sides[0].values()).count(columns) != 1:
            continue
        (space, name), (other_space, other) = (re.findall(IDENTIFIER, one)[-2:] for one in (old, same[0]))
        alter = f"ALTER TABLE {space}.{name}"
        if space == other_space:
            yield RepairStep(old, "table", (f"{alter} RENAME TO {other}",))
        elif name == other:
            yield RepairStep(old, "table", (f"{alter} SET SCHEMA {other_space}",))


def _columns_of(name: str, side: _Groups) -> frozenset[str]:
    return frozenset(
        part["text"]
        for key, items in side.items()
        if key[0] == name and key[1].startswith("column ")
        for one in items
        if (part := _PART.match(one.sql))
    )


#: Parts of a table that can get another name: where it stands in what makes them, and how it is changed.
_NAMED = {
    "column": (re.compile(rf"(?<= ADD COLUMN ){IDENTIFIER}(?= )"), "{table} RENAME COLUMN {old} TO {new}"),
    "constraint": (
        re.compile(rf"(?<=\sADD CONSTRAINT ){IDENTIFIER}(?= )"),
        "{table} RENAME CONSTRAINT {old} TO {new}",
    ),
    "index": (re.compile(rf"(?<= INDEX ){IDENTIFIER}(?= ON )"), "ALTER INDEX {space}.{old} RENAME TO {new}"),
}


def _parts(left: _Groups, right: _Groups) -> Iterator[RepairStep]:
    """A part too much and a part missing in one table that differ by name alone, if each is the only one."""
    extra, missing = (
        [(key, form) for key in side if key not in other and (form := _form(key, side))]
        for side, other in ((left, right), (right, left))
    )
    for key, form in extra:
        same = [one for one, other in missing if other == form]
        if len(same) == 1 and sum(other == form for _, other in extra) == 1:
            (kind, old), new = key[1].split(" ", 1), same[0][1].split(" ", 1)[1]
            names = re.findall(IDENTIFIER, key[0].split(" ", 1)[1])
            table = f"ALTER TABLE {'.'.join(names)}"
            yield RepairStep(*key, (_NAMED[kind][1].format(table=table, space=names[0], old=old, new=new),))


def _form(key: _Key, side: _Groups) -> tuple[str, str, str] | None:
    """What a part is without its name; None for what has none."""
    kind = key[1].partition(" ")[0]
    if kind not in _NAMED or not _NAMED[kind][0].search(side[key][0].sql):
        return None
    return key[0], kind, _NAMED[kind][0].sub("", side[key][0].sql, count=1)


def _grouped(schema: Schema) -> _Groups:
    groups: _Groups = {}
    for item in schema.dumped:
        groups.setdefault((item.object, item.subject), []).append(item)
    return groups


def _is_head(items: list[Item]) -> bool:
    return any(one.sql.startswith("CREATE ") and one.subject in _HEADS for one in items)


def _away(key: _Key, items: list[Item], here: _Groups, there: _Groups) -> Iterator[RepairStep]:
    if _is_member(key):
        sql = _membership(key, there, "DROP")
        yield RepairStep(*key, (sql,) if sql else ())
        return
    if key[1] == "version" and (key[0], "extension") not in here:  # a dump takes plpgsql for granted
        yield RepairStep(*key, (f"DROP EXTENSION {key[0].removeprefix('extension ')}",))
        return
    sqls = [_undone(one, here) for one in reversed(items)]
    unsafe = next((why for sql in sqls if (why := loses(sql))), "")
    yield RepairStep(*key, (_joined(filter(None, sqls)),) if any(sqls) else (), unsafe)


def _membership(key: _Key, side: _Groups, verb: str) -> str:
    """What takes a thing out of an extension, or puts it in: ``side`` has it outside of one."""
    name = key[1].removeprefix("member ")
    about = next((one for one, subject in side if subject in _HEADS and one.partition(" ")[2] == name), "")
    kind = about.removesuffix(f" {name}").upper()
    return f"ALTER {key[0].replace('extension', 'EXTENSION', 1)} {verb} {kind} {name}" if kind else ""


def _is_member(key: _Key) -> bool:
    return key[0].startswith("extension ") and key[1].startswith("member ")


def _undone(item: Item, here: _Groups) -> str:
    sql = undone(item.sql)
    if sql.endswith(" SET STORAGE DEFAULT"):  # PostgreSQL 15 has no word for it
        column = here.get((item.object, item.subject.partition(":")[0]), [])
        number = any(re.search(r" ADD COLUMN .*? numeric", one.sql) for one in column)
        return sql.replace("STORAGE DEFAULT", "STORAGE MAIN" if number else "STORAGE EXTENDED")
    return sql


def _made(
    key: _Key, left: _Groups, right: _Groups, here: _Groups, there: _Groups, *, whole: bool
) -> Iterator[RepairStep]:
    old, new = left.get(key, []), right[key]
    if key[0].startswith("subscription "):
        yield RepairStep(*key, (), "it would connect to its publisher")
    elif any(_HIDDEN.search(one.sql) for one in new):
        yield RepairStep(*key, (), "there is a password in it, which no definition shows")
    elif whole and key[1] == "table":
        yield RepairStep(*key, (_table(new[0], right),))
    elif whole and all(_PART.match(one.sql) for one in new):
        return  # in the table's own statement
    elif not old and _is_member(key):
        sql = _membership(key, here, "ADD")
        yield RepairStep(*key, (sql,) if sql else ())  # it comes with its extension
    elif not old and key[1] == "version" and (key[0], "extension") not in there:
        yield RepairStep(*key, (f"CREATE EXTENSION {key[0].removeprefix('extension ')}",))
    elif len(old) == len(new) == 1 and not GRANTOR.match(new[0].sql):
        ways, unsafe = changed(old[0].sql, new[0].sql)
        yield RepairStep(*key, tuple(filter(None, ways)), unsafe)
    else:
        sqls = [
            *filter(None, (undone(one.sql) for one in reversed(old))),
            *(created(one.sql) for one in new),
        ]
        yield RepairStep(*key, (_joined(filter(None, sqls)),) if any(sqls) else ())


def _table(head: Item, right: _Groups) -> str:
    """CREATE TABLE with all that a dump writes inside of it."""
    parts = [
        part["text"]
        for key, items in right.items()
        for one in items
        if key[0] == head.object and key[1] != "table" and (part := _PART.match(one.sql))
    ]
    return head.sql.replace(" ()", " (\n    " + ",\n    ".join(parts) + "\n)", 1)


def _joined(sqls: Iterator[str] | filter[str]) -> str:
    """One after the other; whoever granted is said for each."""
    return "; ".join(f"{one}; RESET SESSION AUTHORIZATION" if GRANTOR.match(one) else one for one in sqls)
