"""The environments a database can belong to."""

from __future__ import annotations

__all__ = ["ENVIRONMENTS", "protection"]

#: Safest first: the further back, the more a mistake costs.
ENVIRONMENTS = ("disposable", "test", "development", "staging", "production")


def protection(name: str) -> int:
    """How protected ``name`` is; more than production if nobody knows what it means."""
    return ENVIRONMENTS.index(name) if name in ENVIRONMENTS else len(ENVIRONMENTS)
