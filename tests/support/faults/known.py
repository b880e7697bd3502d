"""Moments that are known to go wrong: each turns red when it no longer does, so that this list stays true."""

from __future__ import annotations

__all__ = ["KNOWN"]

#: moment -> what goes wrong
KNOWN: dict[str, str] = {}
