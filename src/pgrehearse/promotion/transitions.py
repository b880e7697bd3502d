"""The steps a promotion may take, read from where they are said: ``sql/promotion.sql``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgrehearse.promotion.installing import FILE

__all__ = ["Transition", "transitions"]

_ROWS = re.compile(r"INSERT INTO pgrehearse_promotion\.transition [^;]*?VALUES\n(?P<rows>.*?);\n", re.S)
_ROW = re.compile(
    r"\('(?P<action>\w+)', '(?P<before>\w*)', '(?P<after>\w+)', '\{(?P<roles>[\w,]+)\}',"
    r"\s*'(?P<demands>[^']*)'\)"
)


@dataclass(frozen=True)
class Transition:
    """``action`` leads from the state ``before``, empty for a new one, to ``after``, by one of ``roles``."""

    action: str
    before: str
    after: str
    roles: tuple[str, ...]
    demands: str


def transitions() -> list[Transition]:
    """All of them, in the order of the file."""
    found = _ROWS.search(FILE.read_text("utf-8"))
    assert found is not None, "promotion.sql has no table of transitions"
    return [
        Transition(row["action"], row["before"], row["after"], tuple(row["roles"].split(",")), row["demands"])
        for row in _ROW.finditer(found["rows"])
    ]
