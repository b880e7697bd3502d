"""The up part of one migration file in the layout of a tool other than dbmate: its marks.

Only what tells the two directions apart is known here: a file whose down part is taken for more of its up
part would be judged for what it never does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest

from pgrehearse.text.migration_grammar import Section

__all__ = ["formatted", "goose", "up_part"]


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
_ELSEWHERE = re.compile(r"\bdbms:[ \t]*(?:\"(?P<quoted>[^\"]*)\"|(?P<plain>\S+))", re.I)
_IGNORED = re.compile(r"\bignore:[ \t]*\"?true\b", re.I)
_GOOSE, _SQL_MIGRATE, _BLANKS = r"--[ \t]*\+goose[ \t]+", r"--[ \t]*\+migrate[ \t]+", r"[ \t]*"
_GOOSE_UP = _line(rf"{_GOOSE}up")
_LAYOUTS = (
    _Layout(
        down=_line(rf"{_GOOSE}down"),
        up=_GOOSE_UP,
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


def formatted(text: str) -> bool:
    """Whether ``text`` is formatted SQL of Liquibase."""
    return _FORMATTED.match(text) is not None


def goose(text: str) -> bool:
    """Whether ``text`` has marks of goose."""
    return _GOOSE_UP.search(text) is not None


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
    if len(marks) < 2 and not any(map(_not_here, marks)):
        return Section(text, 1, transaction=not (marks and _ALONE.search(marks[0][0])))
    pieces, close = [text[: marks[0].start()]], ""
    for mark, following in zip_longest(marks, marks[1:]):
        alone = _ALONE.search(mark[0]) is not None
        body = text[mark.end() : following.start() if following else len(text)]
        if _not_here(mark):
            pieces += [close, re.sub(r"[^\n]", "", body)]
            close = ""
            continue
        pieces += [close, "" if alone else "BEGIN;", body]
        # The last statement of a changeset needs no semicolon.
        close = ";" if alone else "; COMMIT; "
    last = pieces.pop().rstrip("\n")
    return Section("".join([*pieces, last, f"\n{close.strip()}\n"]), 1, transaction=False)


def _not_here(mark: re.Match[str]) -> bool:
    """Whether Liquibase leaves a changeset out on PostgreSQL."""
    if _IGNORED.search(mark[0]):
        return True
    found = _ELSEWHERE.search(mark[0])
    names = [one.strip().lower() for one in (found["quoted"] or found["plain"]).split(",")] if found else []
    if "!postgresql" in names or "none" in names:
        return True
    wanted = [name for name in names if not name.startswith("!")]
    return bool(wanted) and not {"postgresql", "all"} & set(wanted)
