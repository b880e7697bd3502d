"""The databases that the environments file names: one for each environment, and those of its groups."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pgrehearse.environments.declared import Environment
from pgrehearse.promotion import reached
from pgrehearse.status.snapshot import LookTarget

__all__ = ["places"]


def places(environments: Sequence[Environment], chosen: Sequence[str] = ()) -> list[LookTarget]:
    """Every database once, an environment's own before those of its groups.

    ``chosen``: of these environments only.
    """
    found = []
    for position, environment in enumerate(environments):
        if chosen and environment.name not in chosen:
            continue
        names = dict.fromkeys(name for group in environment.groups.values() for name in group)
        for name in ("", *names):
            found.append(LookTarget(environment, position, name, partial(reached.dsn, environment, name)))
    return found
