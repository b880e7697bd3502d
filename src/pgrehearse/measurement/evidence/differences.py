"""How a fact that was found differs from the committed one, in words."""

from __future__ import annotations

__all__ = ["told"]


def told(what: str, committed: object, now: object) -> list[str]:
    """How the fact ``what`` differs from the committed one, in lines."""
    if isinstance(committed, list) and isinstance(now, list):
        gone = [f"{what}: committed, not found now: {one}" for one in _without(committed, now)]
        new = [f"{what}: found now, not committed: {one}" for one in _without(now, committed)]
        return [*gone, *new] or [f"{what}: in another order"]
    return [f"{what}: committed {committed!r}, now {now!r}"]


def _without(some: list[object], others: list[object]) -> list[object]:
    """What of ``some`` is not among ``others``, each as often as it is missing there."""
    rest = list(others)
    found = []
    for one in some:
        if one in rest:
            rest.remove(one)
        else:
            found.append(one)
    return found
