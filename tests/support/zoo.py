"""Which pairs of the zoo this run of the tests takes."""

from __future__ import annotations

import os
from collections.abc import Sequence

from pgrehearse.measurement.zoo import Shape

__all__ = ["SAMPLE", "VARIABLE", "chosen"]

VARIABLE = "PGREHEARSE_ZOO"
#: A few runbooks on a few shapes: in a quarter of a minute of one core.
SAMPLE = {
    "json": ("column-add", "constraint-check"),
    "plain": ("column-change-type", "enum-retire-value"),
    "trigger_audit": ("column-split",),
    "dropped_columns": ("constraint-not-null", "index-replace"),
}


def chosen(shapes: Sequence[Shape], wanted: str | None = None) -> list[tuple[Shape, tuple[str, ...]]]:
    """The shapes of this run, each with the runbooks to try on it: none means all recorded.

    Raises ValueError for a choice that means nothing.
    """
    wanted = os.environ.get(VARIABLE, "") if wanted is None else wanted
    if not wanted:
        return [(shape, SAMPLE[shape.name]) for shape in shapes if shape.name in SAMPLE]
    if wanted == "all":
        return [(shape, ()) for shape in shapes]
    number, slash, shards = wanted.partition("/")
    if slash and 1 <= int(number) <= int(shards):
        return [(shape, ()) for shape in shapes[int(number) - 1 :: int(shards)]]
    raise ValueError(f"{VARIABLE}={wanted}: write all, or a shard such as 2/4")
