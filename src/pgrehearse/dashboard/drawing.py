"""Shapes of charts, as numbers: a template draws them. Without a script and without a style of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgrehearse.status.fact import Level
from pgrehearse.status.migrations import Ran

__all__ = ["Bar", "Chart", "HeatCell", "Map", "chart", "fleet_map"]

_HEIGHT = 60  # of the bars
_STEP = 14  # from bar to bar
_CELL = 9  # of the map; 10 from cell to cell
_ROW = 100  # cells


@dataclass(frozen=True)
class Bar:
    """One migration: its place and height, and what it says."""

    x: int
    y: float
    height: float
    failed: bool
    said: str


@dataclass(frozen=True)
class Chart:
    """``most``: milliseconds of the highest bar."""

    width: int
    height: int
    bars: tuple[Bar, ...]
    most: float


def chart(ran: Sequence[Ran]) -> Chart:
    """How long each took, oldest first."""
    most = max((one.milliseconds for one in ran), default=0.0)
    bars = []
    for number, one in enumerate(reversed(ran)):
        height = max(_HEIGHT * one.milliseconds / most, 2.0) if most else 2.0
        bars.append(
            Bar(
                number * _STEP,
                round(_HEIGHT - height, 1),
                round(height, 1),
                one.outcome != "done",
                f"{one.label}: {one.milliseconds:,.1f} ms, {one.outcome}",
            )
        )
    return Chart(max(len(bars), 1) * _STEP, _HEIGHT, tuple(bars), most)


@dataclass(frozen=True)
class HeatCell:
    """One database that is not well."""

    x: int
    y: int
    level: Level
    label: str


@dataclass(frozen=True)
class Map:
    """Databases as cells, row by row; ``well``: the path of all that are, which come last."""

    width: int
    height: int
    cells: tuple[HeatCell, ...]
    well: str


def fleet_map(levels: Sequence[tuple[str, Level]]) -> Map:
    """``levels``: label and level of each database, the worst first."""
    cells, path = [], []
    for number, (label, level) in enumerate(levels):
        x, y = number % _ROW * (_CELL + 1), number // _ROW * (_CELL + 1)
        if level == Level.WELL:
            path.append(f"M{x} {y}h{_CELL}v{_CELL}h-{_CELL}z")
        else:
            cells.append(HeatCell(x, y, level, label))
    rows = -(-len(levels) // _ROW)
    width = min(len(levels), _ROW) * (_CELL + 1)
    return Map(max(width, 1), max(rows * (_CELL + 1), 1), tuple(cells), "".join(path))
