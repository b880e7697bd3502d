"""The up part of one migration file in the layout of a tool other than dbmate: its marks.

Only what tells the two directions apart is known here: a file whose down part is taken for more of its up
part would be judged for what it never does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgrehearse.text.migration_grammar import Section

__all__ = ["up_part"]


@dataclass(frozen=True)
class _Layout:
    """Lines of a tool: where each part begins, and what says that there is no transaction.

    ``up`` None: the file begins with that part.
    """

    down: re.Pattern[str]
    up: re.Pattern[str] | None = None
    alone: re.Pattern[str] | None = None


def _line(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"^{pattern}[ \t\r]*$", re.M | re.I)


#: Liquibase's formatted SQL: its first line, and the line above each changeset, which is a transaction.
_FORMATTED = re.compile(r"\s*--[ \t]*liquibase[ \t]+formatted[ \t]+sql\b", re.I)
_CHANGESET = re.compile(r"^[ \t]*--[ \t]*changeset[ \t]+[^\n]*:[^\n]*$", re.M | re.I)
_ALONE = re.compile(r"\brunInTransaction:[ \t]*\"?false\b", re.I)
_GOOSE, _SQL_MIGRATE, _BLANKS = r"--[ \t]*\+goose[ \t]+", r"--[ \t]*\+migrate[ \t]+", r"[ \t]*"
_LAYOUTS = (
    _Layout(
        down=_line(rf"{_GOOSE}down"),
        up=_line(rf"{_GOOSE}up"),
        alone=_line(rf"{_GOOSE}no[ \t]+transaction"),
    ),
    _Layout(  # sql-migrate
        down=_line(rf"{_SQL_MIGRATE}down(?:[ \t]+notransaction)?"),
        up=_line(rf"{_SQL_MIGRATE}up(?:[ \t]+notransaction)?"),
        alone=_line(rf"{_SQL_MIGRATE}up[ \t]+notransaction"),
    ),
    _Layout(  # node-pg-migrate
        down=_line(rf"{_BLANKS}--[-\s]*down[ \t]+migration.*"),
        up=_line(rf"{_BLANKS}--[-\s]*up[ \t]+migration.*"),
    ),
    _Layout(  # tern
        down=_line(rf"----{_BLANKS}create above / drop below{_BLANKS}----"),
        alone=_line(rf"----{_BLANKS}tern: disable-tx{_BLANKS}----"),
    ),
)


def up_part(text: str) -> Section | None:
    """The up part of ``text``; None when no line of it is a mark of a tool that is known."""
    if _FORMATTED.match(text):
        return _changesets(text)
    for layout in _LAYOUTS:
        down = layout.down.search(text)
        up = layout.up.search(text) if layout.up else down
        if up is None:
            continue
        begin = up.end() + 1 if layout.up else 0
        end = down.start() if down is not None and down.start() >= begin else len(text)
        whole = layout.alone is None or layout.alone.search(text) is None
        return Section(text[begin:end], text.count("\n", 0, begin) + 1, transaction=whole)
    return None


def _changesets(text: str) -> Section:
    """All changesets of a file of Liquibase; of several each becomes a transaction, on the lines it has."""
    marks = list(_CHANGESET.finditer(text))
    if len(marks) < 2:
        return Section(text, 1, transaction=not (marks and _ALONE.search(marks[0][0])))
    pieces, at, close = [], 0, ""
    for mark in marks:
        alone = _ALONE.search(mark[0]) is not None
        pieces += [text[at : mark.start()], close, "" if alone else "BEGIN;"]
        # The last statement of a changeset needs no semicolon.
        at, close = mark.end(), ";" if alone else "; COMMIT; "
    pieces += [text[at:].rstrip("\n"), f"\n{close.strip()}\n"]
    return Section("".join(pieces), 1, transaction=False)
