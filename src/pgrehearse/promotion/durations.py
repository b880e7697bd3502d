"""How long something takes or has taken, in the two largest units that say something."""

from __future__ import annotations

from datetime import timedelta

__all__ = ["told"]

_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def told(span: timedelta) -> str:
    """``7 h 12 min``, ``3 d``, ``0 s``; a part of a second counts as none."""
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
