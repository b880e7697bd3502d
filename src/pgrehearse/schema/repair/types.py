"""Enums, composite types and domains: from one form to another by ALTER TYPE and ALTER DOMAIN."""

from __future__ import annotations

import re
from itertools import pairwise

from pgrehearse.schema.kinds import IDENTIFIER, NAME
from pgrehearse.schema.repair.outlines import clause, outline, within

__all__ = ["changed_domain", "changed_type"]


def changed_type(old: str, new: str) -> tuple[str, str]:
    """The statements that make the second type of the first, and why a person has to decide about them."""
    head = re.match(rf"CREATE TYPE ({NAME}) AS (?=ENUM|\()", new)
    if head is None or (" AS ENUM" in outline(old)) != (" AS ENUM" in outline(new)):
        return "", ""
    alter = f"ALTER TYPE {head[1]}"
    if " AS ENUM" in outline(new):
        return _enum(alter, within(old, "ENUM"), within(new, "ENUM"))
    return _composite(alter, within(old, "AS"), within(new, "AS"))


def _enum(alter: str, had: list[str], wants: list[str]) -> tuple[str, str]:
    extra, missing = [one for one in had if one not in wants], [one for one in wants if one not in had]
    if len(extra) == len(missing) == 1 and had.index(extra[0]) == wants.index(missing[0]):
        return f"{alter} RENAME VALUE {extra[0]} TO {missing[0]}", ""
    kept = [one for one in wants if one in had]
    if extra or kept != had:
        what = f"the label {extra[0]}" if extra else "a label"
        return "", f"PostgreSQL has no statement that takes out or moves {what}"
    todo, there = [], list(kept)
    for at, label in enumerate(wants):
        if label in there:
            continue
        place = f" BEFORE {there[at]}" if at < len(there) else ""
        todo.append(f"{alter} ADD VALUE {label}{place}")
        there.insert(at, label)
    return "; ".join(todo), ""


def _composite(alter: str, had: list[str], wants: list[str]) -> tuple[str, str]:
    old, new = (dict(one.partition(" ")[::2] for one in side) for side in (had, wants))
    todo = [f"{alter} DROP ATTRIBUTE {name}" for name in old if name not in new]
    lost = "it would lose an attribute and what rows hold in it" if todo else ""
    todo += [f"{alter} ADD ATTRIBUTE {name} {text}" for name, text in new.items() if name not in old]
    changed = {name: text for name, text in new.items() if name in old and old[name] != text}
    todo += [f"{alter} ALTER ATTRIBUTE {name} TYPE {text}" for name, text in changed.items()]
    return "; ".join(todo), lost or ("rows may hold what the new type does not" if changed else "")


_ENDS = (r"\sCOLLATE\s", r"\sDEFAULT\s", r"\sNOT NULL", r"\s+CONSTRAINT\s")


def changed_domain(old: str, new: str) -> str:
    """The statements that make the second domain of the first; empty for another type below it."""
    head = re.match(rf"CREATE DOMAIN ({NAME}) AS ", new)
    if head is None or not old.startswith(head[0]):
        return ""
    if any(clause(old, begin, *_ENDS) != clause(new, begin, *_ENDS) for begin in (r"AS\s", r"COLLATE\s")):
        return ""
    alter, todo = f"ALTER DOMAIN {head[1]}", []
    defaults = [clause(sql, r"DEFAULT\s", *_ENDS) for sql in (old, new)]
    if defaults[0] != defaults[1]:
        todo.append(f"{alter} SET DEFAULT {defaults[1]}" if defaults[1] else f"{alter} DROP DEFAULT")
    strict = [re.search(r"\sNOT NULL", outline(sql)) is not None for sql in (old, new)]
    if strict[0] != strict[1]:
        todo.append(f"{alter} {'SET' if strict[1] else 'DROP'} NOT NULL")
    rules = [_rules(sql) for sql in (old, new)]
    todo += [
        f"{alter} DROP CONSTRAINT {name}" for name, text in rules[0].items() if rules[1].get(name) != text
    ]
    todo += [
        f"{alter} ADD CONSTRAINT {name} {text}"
        for name, text in rules[1].items()
        if rules[0].get(name) != text
    ]
    return "; ".join(todo)


def _rules(sql: str) -> dict[str, str]:
    begins = [found.start() for found in re.finditer(r"\sCONSTRAINT\s", outline(sql))]
    texts = [sql[at:end].strip() for at, end in pairwise([*begins, len(sql)])]
    found = (re.match(rf"CONSTRAINT\s+({IDENTIFIER})\s+(.*)", one, re.S) for one in texts)
    return {one[1]: one[2] for one in found if one}
