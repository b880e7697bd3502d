"""Claims of a cell about locks, rewrites, scans and blocking: their grammar.

``lock="wishlist_items: SHARE UPDATE EXCLUSIVE, type store: EXCLUSIVE"``, ``rewrite="no"``, ``scan="yes"``,
``blocks="writes"``.
"""

from __future__ import annotations

import re

__all__ = ["BLOCKS", "MODES", "blocks", "locks", "pairs", "yes_or_no"]

#: Table-level lock modes in PostgreSQL's words, weakest first.
MODES = (
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)
#: What a statement may block.
BLOCKS = ("nothing", "reads", "writes", "reads and writes")
_WANTED = "relations with their mode, such as wishlist_items: SHARE, or nothing"
_LOCK = re.compile(r"(?P<relation>(?:type )?[\w.\" ]+): (?P<mode>[A-Z ]+)")


def locks(value: str) -> str:
    """Check ``lock="..."``; returns it. Raises ValueError that says what is wanted."""
    parts = value.split(", ") if value != "nothing" else []
    for part in parts:
        match = _LOCK.fullmatch(part)
        if not match or match["mode"] not in MODES:
            raise ValueError(_WANTED)
    if len(pairs(value)) < len(parts):
        raise ValueError(f"each relation once; {_WANTED}")
    return value


def pairs(value: str) -> dict[str, str]:
    """Relation to mode of a value that ``locks`` has accepted; empty for ``nothing``."""
    found = (_LOCK.fullmatch(part) for part in value.split(", ")) if value != "nothing" else ()
    return {match["relation"]: match["mode"] for match in found if match}


def yes_or_no(value: str) -> str:
    """Check an option that is ``yes`` or ``no``; returns it. Raises ValueError that says what is wanted."""
    if value not in ("yes", "no"):
        raise ValueError("yes or no")
    return value


def blocks(value: str) -> str:
    """Check ``blocks="..."``; returns it. Raises ValueError that lists `BLOCKS`."""
    if value not in BLOCKS:
        raise ValueError("one of " + ", ".join(BLOCKS))
    return value
