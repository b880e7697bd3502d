"""The lock reference: every measured kind of statement in one table, each row linked to its evidence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from markupsafe import Markup

from pgrehearse.measurement.statement.facts import MODES, Facts
from pgrehearse.measurement.words import main_locks, own_waits, who_waits
from pgrehearse.site.content.headings import plain
from pgrehearse.site.content.published import Published
from pgrehearse.site.markup import render
from pgrehearse.site.parts.fact_lines import anchor, majors_range
from pgrehearse.site.parts.sqlstate import condition_name
from pgrehearse.text.document import Cell

__all__ = ["lock_table", "operation"]

#: Two letters at least: evidence has a statement on one line, with the "A" of a comment in it.
_WORD = re.compile(r"[A-Z]{2,}")
_COMMENT = re.compile(r"--[^\n]*(?=\n)|/\*.*?\*/", re.S)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\$\$.*?\$\$|\"(?:[^\"]|\"\")*\"", re.S)
#: What follows says nothing about locks, or repeats the keyword before it.
_SHORTER = (
    (re.compile(r" ON (?:DELETE|UPDATE) (?:CASCADE|RESTRICT|NO ACTION|SET NULL|SET DEFAULT)"), ""),
    (re.compile(r"^(COMMENT ON [A-Z]+).*"), r"\1"),
    (re.compile(r"^(CREATE (?:OR REPLACE )?(?:CONSTRAINT )?(?:TRIGGER|VIEW)).*"), r"\1"),
    (re.compile(r"^(CREATE TABLE(?: IF NOT EXISTS)? (?:AS|PARTITION OF|PARTITION BY)) .*"), r"\1"),
    (re.compile(r"^(CREATE (?:UNIQUE )?INDEX.*?) ON( ONLY)?(?: USING)?"), r"\1\2"),
    (re.compile(r"^((?:ALTER|DROP) .*?) IF EXISTS"), r"\1"),
    (re.compile(r"^(DROP TRIGGER) ON$"), r"\1"),
)
#: Documents named as evidence of a row; the rest are counted.
_NAMED = 3
_HEADS = ("statement", "strongest lock", "rewrite", "full scan", "who waits", "PostgreSQL", "measured in")


@dataclass(frozen=True)
class _Row:
    operation: str
    sqlstate: str
    lock: str
    rewrite: str
    scan: str
    waits: str
    own_waits: str


@dataclass
class _Evidence:
    """Where a row was measured: its statements, majors, and (document, anchor of the cell)."""

    statements: list[str] = field(default_factory=list)
    majors: set[str] = field(default_factory=set)
    places: list[tuple[Published, str]] = field(default_factory=list)
    #: tables the statement does not name had to wait too, at least once
    related: bool = False
    strength: int = -1


def operation(sql: str) -> str:
    """The keywords of a statement that say what it does: ``ALTER TABLE ADD CONSTRAINT CHECK NOT VALID``.

    Names, values, comments and whatever stands in parentheses are left out. The actions of one ALTER TABLE
    are separated by commas.
    """
    text = _QUOTED.sub(" ", _COMMENT.sub(" ", sql))
    refers = re.match(r"\s*CREATE TABLE\b.*\(.*\bREFERENCES\b", text, re.S)
    while "(" in text and text != (inner := re.sub(r"\([^()]*\)", " ", text)):
        text = inner
    actions = text.split(",") if re.match(r"\s*ALTER TABLE\b", text) else [text]
    kept = [" ".join(word for word in re.findall(r"[\w.]+", a) if _WORD.fullmatch(word)) for a in actions]
    found = ", ".join(action for action in kept if action)
    for pattern, shorter in _SHORTER:
        found = pattern.sub(shorter, found)
    return f"{found} REFERENCES" if refers else found


def lock_table(documents: list[Published], page_of: Callable[[Published], str]) -> Markup:
    """HTML table, one row for each kind of statement and each different outcome, sorted by statement.

    ``page_of``: address of the page that shows a document; empty when none does.
    """
    rows: dict[_Row, _Evidence] = {}
    statements = 0
    for item, cell, key in _measured(documents):
        for statement in item.evidence.of(cell).statements:  # type: ignore[union-attr]
            statements += 1
            for major, facts in statement.facts.items():
                found = rows.setdefault(_row(statement.sql, facts), _Evidence())
                found.statements.append(statement.sql)
                found.majors.add(major)
                found.related |= len(facts.waits) > 1
                found.strength = _strength(facts)
                if (item, key) not in found.places:
                    found.places.append((item, key))
    shown = [_shown(row, rows[row], page_of) for row in sorted(rows, key=_order)]
    return render("lock_reference", statements=statements, heads=_HEADS, rows=shown)


def _measured(documents: Iterable[Published]) -> Iterable[tuple[Published, Cell, str]]:
    """Every cell that has evidence of its present text, with the anchor of its block."""
    for item in documents:
        for cell in item.document.cells:
            if item.evidence and item.evidence.of(cell):
                yield item, cell, anchor(cell)


def _order(row: _Row) -> tuple[str, ...]:
    return (row.operation, row.sqlstate, row.lock, row.rewrite, row.scan, row.waits)


def _row(sql: str, facts: Facts) -> _Row:
    return _Row(
        operation(sql),
        facts.sqlstate,
        _lock(sql, facts),
        "yes" if facts.rewrites else "no",
        "yes" if facts.scans else "no",
        who_waits(facts, by_table=False),
        own_waits(facts),
    )


def _lock(sql: str, facts: Facts) -> str:
    """The strongest modes, with the kind of what is locked in place of the example's names."""
    parts = []
    for mode, relations in main_locks(facts).items():
        if set(relations) & set(facts.probes):
            kind = ""
        elif all(name.startswith("type ") for name in relations):
            kind = " on the type"
        else:
            named = re.search(r"\b(INDEX|VIEW|SEQUENCE)\b", operation(sql))
            kind = f" on the {named[0].lower()}" if named else ""
        parts.append(mode + kind)
    return ", ".join(parts) or "none on a table"


def _strength(facts: Facts) -> int:
    """Where the first mode of `_lock` stands among the modes, -1 without one: for sorting."""
    return MODES.index(next(iter(main_locks(facts)))) if facts.locks else -1


def _shown(row: _Row, found: _Evidence, page_of: Callable[[Published], str]) -> dict[str, object]:
    """The texts of a row of the table, by their place in the template."""
    sql = min(found.statements, key=len)
    item, key = found.places[0]
    related = " (and of related tables)" if found.related else ""
    waits = row.waits + related + (f"; it waits for {row.own_waits}" if row.own_waits else "")
    places, more = _places(found, page_of)
    return {
        "operation": row.operation,
        "address": _address(page_of(item), key),
        "fails": f"fails with {row.sqlstate} {condition_name(row.sqlstate)}".strip() if row.sqlstate else "",
        "sql": sql if len(sql) <= 120 else sql[:119] + "…",
        "strength": f"{found.strength:02}",
        "cells": (row.lock, row.rewrite, row.scan, waits, majors_range(sorted(found.majors))),
        "places": places,
        "more": more,
    }


def _address(page: str, key: str) -> str:
    return f"{page}#{key}" if page else ""


def _places(found: _Evidence, page_of: Callable[[Published], str]) -> tuple[list[tuple[str, str]], int]:
    """(address, title) of documents that measured it, at the first cell of each; how many are left out."""
    first: dict[str, tuple[Published, str]] = {}
    for item, key in found.places:
        first.setdefault(item.name, (item, key))
    links = [(_address(page_of(item), key), plain(item.document.title)) for item, key in first.values()]
    return links[:_NAMED], max(len(links) - _NAMED, 0)
