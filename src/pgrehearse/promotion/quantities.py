"""How many, and how long, in words."""

from __future__ import annotations

from datetime import timedelta

__all__ = ["counted", "told"]

_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def counted(number: int, what: str) -> str:
    """``1 migration``, ``2 migrations``."""
    return f"{number} {what}{'s' * (number != 1)}"


def told(span: timedelta) -> str:
    """The two largest units: ``7 h 12 min``, ``3 d``, ``0 s``; a part of a second counts as none."""
    seconds = max(0, int(span.total_seconds()))
    parts = []
    for unit, size in _UNITS:
        if seconds >= size:
            parts.append(f"{seconds // size} {unit}")
            seconds %= size
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts) or "0 s"
