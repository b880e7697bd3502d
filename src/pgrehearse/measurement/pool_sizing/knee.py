"""The least number of connections that gives nearly the best throughput, and what a rule of thumb says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

__all__ = ["NEARLY", "LoadPoint", "formula", "knee"]

#: Share of the best throughput that counts as reached: two runs of one load differ by a few percent.
NEARLY = 0.95


@dataclass(frozen=True)
class LoadPoint:
    """What one number of connections came to. ``tps``: transactions per second; latencies in milliseconds."""

    connections: int
    tps: float
    p50_ms: float
    p99_ms: float

    def to_json(self) -> dict[str, float]:
        return asdict(self)


def knee(found: Sequence[LoadPoint]) -> LoadPoint:
    """The one with the fewest connections whose throughput is `NEARLY` the best. ``found``: at least one."""
    best = max(each.tps for each in found)
    enough = [each for each in found if each.tps >= best * NEARLY]
    return min(enough, key=lambda each: each.connections)


def formula(cores: int, spindles: int = 1) -> int:
    """Connections = 2 * cores of the server + spindles; an SSD counts as one."""
    return 2 * cores + spindles
