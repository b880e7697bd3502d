"""The lock reference: every measured kind of statement in one table, each row linked to a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from pgrehearse.measurement.facts import Facts
from pgrehearse.site.facts import grouped, locked, majors_range
from pgrehearse.site.published import Published

__all__ = ["lock_table", "operation"]

_WORD = re.compile(r"[A-Z]+")
_QUOTED = re.compile(r"'(?:[^']|'')*'|\$\$.*?\$\$|\"(?:[^\"]|\"\")*\"", re.S)


@dataclass(frozen=True)
class _Row:
    operation: str
    lock: str
    rewrite: str
    scan: str
    waits: str
    majors: str


def operation(sql: str) -> str:
    """The keywords of a statement that say what it does: ``ALTER TABLE ADD CONSTRAINT CHECK NOT VALID``.

    Names, values and whatever stands in parentheses are left out.
    """
    text = _QUOTED.sub(" ", sql)
    while "(" in text and text != (inner := re.sub(r"\([^()]*\)", " ", text)):
        text = inner
    words = [word for word in re.findall(r"[\w.]+", text) if _WORD.fullmatch(word)]
    return " ".join(words[:10])


def lock_table(documents: list[Published], page_of: Callable[[Published], str]) -> str:
    """HTML table, one row for each kind of statement and each different outcome."""
    rows: dict[_Row, tuple[str, str]] = {}
    for item in documents:
        for cell in item.evidence.cells if item.evidence else ():
            for statement in cell.statements:
                for majors, facts in grouped(statement):
                    rows.setdefault(_row(statement.sql, facts, majors), (statement.sql, page_of(item)))
    body = "".join(
        _html(row, *rows[row]) for row in sorted(rows, key=lambda r: (r.operation, r.lock, r.majors))
    )
    heads = ("statement", "strongest lock", "rewrite", "full scan", "who waits", "PostgreSQL")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return (
        '<label class="run-filter">Filter <input type="search" data-run-filter="locks"'
        ' placeholder="ADD CONSTRAINT, SHARE, nobody waits, …"></label>'
        f'<table id="locks" class="run-locks" data-run-sortable><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>\n"
    )


def _row(sql: str, facts: Facts, majors: list[str]) -> _Row:
    outcome = f", fails with {facts.sqlstate}" if facts.sqlstate else ""
    return _Row(
        operation(sql) + outcome,
        re.sub(r" on [^,]*", "", locked(facts)).split(", ")[0] if facts.locks else "none on a table",
        "yes" if facts.rewrites else "no",
        "yes" if facts.scans else "no",
        _who(facts),
        majors_range(majors),
    )


def _who(facts: Facts) -> str:
    """Whom the statement keeps waiting, without the names of the example's tables."""
    tables = {name for name, probes in facts.probes.items() if "waits" in probes.values()}
    if not tables:
        return "writers of the same rows" if facts.row_locks else "nobody"
    reads, writes = facts.blocks_reads, facts.blocks_writes
    who = " and ".join(word for word, some in (("readers", reads), ("writers", writes)) if some)
    return (who or "SELECT FOR UPDATE") + (", also of other tables" if len(tables) > 1 else "")


def _html(row: _Row, sql: str, page: str) -> str:
    shown = sql if len(sql) <= 120 else sql[:119] + "…"
    name = f'<a href="{escape(page)}">{escape(row.operation)}</a>' if page else escape(row.operation)
    first = f'<td>{name}<br><code class="nohighlight">{escape(shown)}</code></td>'
    rest = "".join(
        f"<td>{escape(value)}</td>" for value in (row.lock, row.rewrite, row.scan, row.waits, row.majors)
    )
    return f"<tr>{first}{rest}</tr>"
