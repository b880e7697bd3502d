"""How a promotion goes over a group of databases, as `environments.toml` declares it.

[environment.rollout.tenants]   # below its [[environment]], for its group "tenants"
canary = 1                      # databases of the first wave
wave = 20                       # of each later one; 0: all the rest
at_once = 4                     # databases that are being worked at; 0: as many as the workers take
failures = 0                    # more failed ones stop it
duration = "30min"              # a wave that takes longer stops it
blocked = "5s"                  # somebody who waits longer for the migration stops it
lag = "1min"                    # a standby that is further behind stops it
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

__all__ = ["TIME", "Rollout", "read", "span"]

#: A time as the file writes it.
TIME = re.compile(r"[0-9]{1,5}(s|min|h|d)")
_UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}
_COUNTS = ("canary", "wave", "at_once", "failures")
_LIMITS = ("duration", "blocked", "lag")
_MOST = 100_000


@dataclass(frozen=True)
class Rollout:
    """Sizes count databases; None is no limit. What each means stands at the head of this module."""

    canary: int = 1
    wave: int = 0
    at_once: int = 0
    failures: int = 0
    duration: timedelta | None = None
    blocked: timedelta | None = None
    lag: timedelta | None = None


def span(text: str) -> timedelta:
    """``30min`` and its like, which match `TIME`."""
    unit = text.lstrip("0123456789")
    return timedelta(**{_UNITS[unit]: int(text.removesuffix(unit))})


def read(value: Mapping[str, object]) -> Rollout:
    """One table. Raises ValueError with key and message: a value is not what it has to be."""
    found: dict[str, Any] = {}
    for key, one in value.items():
        if key in _COUNTS:
            if not isinstance(one, int) or isinstance(one, bool) or not 0 <= one <= _MOST:
                raise ValueError(key, f"{key} is no number from 0 to {_MOST}")
            found[key] = one
        elif key in _LIMITS:
            if not isinstance(one, str) or not TIME.fullmatch(one) or not span(one):
                raise ValueError(key, f"{key} is not a time such as 30s, 10min or 2h")
            found[key] = span(one)
        else:
            raise ValueError(key, f"{key!r} is no key of a roll-out: {', '.join((*_COUNTS, *_LIMITS))}")
    return Rollout(**found)
