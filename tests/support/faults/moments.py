"""Which moments there are, and which of them this run takes.

A moment is a command, a fault and a seed. The seed says how far the command is when the fault happens, so the
same name is the same moment for as long as the command sends the same requests.

``PGREHEARSE_FAULTS`` chooses: nothing takes a small fixed sample, ``all`` takes everything, ``2/4`` the
second of four shards, and ``up-KILL-7,run-cut-1`` the moments of those names, whatever their seed.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from functools import cached_property

__all__ = ["ALL", "SAMPLE", "VARIABLE", "Moment", "chosen"]

VARIABLE = "PGREHEARSE_FAULTS"
#: How many seeds of each fault a command is tried with.
_SIGNALS = ("INT", "TERM", "HUP", "KILL")
_LOSSES = ("terminate", "kill9", "crash", "cut", "half")
_SEEDS = {
    "up": {
        **dict.fromkeys((*_SIGNALS, *_LOSSES), 6),
        **dict.fromkeys(("two", "standby", "full"), 5),
        **dict.fromkeys(("pooler", "clock"), 2),
    },
    "rollback": {
        **dict.fromkeys((*_SIGNALS, *_LOSSES), 4),
        **dict.fromkeys(("two", "standby", "full", "pooler", "clock"), 2),
    },
    "run": {
        **dict.fromkeys((*_SIGNALS, *_LOSSES), 5),
        **dict.fromkeys(("two", "standby", "full"), 4),
        **dict.fromkeys(("pooler", "clock"), 2),
    },
    "test": dict.fromkeys((*_SIGNALS, "server"), 4),
    "remote": dict.fromkeys((*_SIGNALS, *_LOSSES), 2),
    "build": dict.fromkeys(_SIGNALS, 3),
    "fleet": {"KILL": 20},  # a worker; in tests/faults/test_fleet.py
    "rollout": {"KILL": 20},  # the command that applies; there too
    "promote": {"KILL": 20, **dict.fromkeys(("TERM", "terminate", "kill9", "crash", "cut", "half"), 3)},
}


@dataclass(frozen=True)
class Moment:
    """``fault`` happens to ``command``; the seed decides where."""

    command: str
    fault: str
    seed: int

    def __str__(self) -> str:
        return f"{self.command}-{self.fault}-{self.seed}"

    @cached_property
    def _random(self) -> random.Random:
        return random.Random(str(self))  # noqa: S311

    @cached_property
    def chance(self) -> tuple[float, float, float]:
        """Three numbers from 0 to 1: how far the command is, on which side of a request, how long after."""
        return self._random.random(), self._random.random(), self._random.random()

    @property
    def again(self) -> str:
        """The command that repeats this moment."""
        return f"{VARIABLE}={self} .venv/bin/python -m pytest -q tests/faults"


ALL = [
    Moment(command, fault, seed)
    for command, faults in _SEEDS.items()
    for fault, seeds in faults.items()
    for seed in range(seeds)
]
#: Some of every command, with several kinds of fault; together no more than half a minute on an idle machine.
_SAMPLE = (
    "up-KILL-1 up-crash-4 up-clock-0 rollback-cut-1 run-cut-1 run-kill9-3 run-full-0"
    " test-KILL-0 remote-KILL-0 build-KILL-1 fleet-KILL-0 rollout-KILL-1 promote-KILL-3"
)
SAMPLE = [moment for moment in ALL if str(moment) in _SAMPLE.split()]


def chosen(wanted: str | None = None) -> list[Moment]:
    """The moments of this run. Raises ValueError for a choice that means nothing."""
    wanted = os.environ.get(VARIABLE, "") if wanted is None else wanted
    if not wanted:
        return SAMPLE
    if wanted == "all":
        return ALL
    number, slash, shards = wanted.partition("/")
    if slash:
        if not 1 <= int(number) <= int(shards):
            raise ValueError(f"{VARIABLE}={wanted}: shards are numbered from 1/{shards} to {shards}/{shards}")
        return ALL[int(number) - 1 :: int(shards)]
    return [_named(name) for name in wanted.split(",")]


def _named(name: str) -> Moment:
    parts = name.split("-")
    if len(parts) != 3 or parts[1] not in _SEEDS.get(parts[0], {}) or not parts[2].isdigit():
        known = ", ".join(f"{command}: {' '.join(faults)}" for command, faults in _SEEDS.items())
        raise ValueError(f"{VARIABLE}={name}: a moment is COMMAND-FAULT-SEED; there are {known}")
    return Moment(parts[0], parts[1], int(parts[2]))
