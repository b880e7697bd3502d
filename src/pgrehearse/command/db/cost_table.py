"""What migrations cost, as a table for a terminal and as a bar chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from pgrehearse.command import terminal
from pgrehearse.command.terminal import Column
from pgrehearse.migration.runner.ledger_rows import Cost
from pgrehearse.migration.timing.costs import Timing

__all__ = ["chart", "table"]

#: Letters of a statement that are shown.
_SHOWN = 44
_COSTS = (
    Column("migration"),
    *(Column(head, right=True) for head in ("time", "lock wait", "WAL", "rows", "tries")),
    Column("rewrote"),
)
_BAR, _LEFT, _WIDTH = 14, 330, 760


def table(found: Mapping[str, Sequence[Timing]], *, statements: bool) -> str:
    """One database: every cost. Several, by their names: their times beside each other."""
    if not any(found.values()):
        return "no migration is applied by pgrehearse db up here"
    if len(found) == 1:
        (timings,) = found.values()
        return terminal.table(_COSTS, _one(timings, statements), within=terminal.width())
    columns = [Column("migration"), *(Column(name, right=True) for name in found)]
    return terminal.table(columns, _several(found, statements), within=terminal.width())


def _one(timings: Sequence[Timing], statements: bool) -> list[tuple[str, ...]]:
    lines: list[tuple[str, ...]] = []
    for timing in timings:
        if not timing.costs:
            lines.append((timing.label, "-", "", "", "", "", "by another tool"))
            continue
        tries = str(timing.attempts) if timing.attempts > 1 else ""
        lines.append(
            (
                timing.label,
                _time(timing.milliseconds),
                _time(timing.lock_wait_ms) if timing.lock_wait_ms else "",
                _size(timing.wal_bytes),
                "",
                tries,
                ", ".join(timing.rewritten),
            )
        )
        lines += [_statement(cost) for cost in timing.costs if statements]
    return lines


def _statement(cost: Cost) -> tuple[str, ...]:
    return (
        f"  {_short(cost)}",
        _time(cost.milliseconds),
        _time(cost.lock_wait_ms) if cost.lock_wait_ms else "",
        _size(cost.wal_bytes or 0),
        "" if cost.rows is None else f"{cost.rows:,}",
        str(cost.tries) if cost.tries > 1 else "",
        ", ".join(cost.rewritten),
    )


def _several(found: Mapping[str, Sequence[Timing]], statements: bool) -> list[tuple[str, ...]]:
    by_name = {name: {timing.label: timing for timing in timings} for name, timings in found.items()}
    labels = sorted({label for timings in by_name.values() for label in timings})
    lines: list[tuple[str, ...]] = []
    for label in labels:
        here = [timings.get(label) for timings in by_name.values()]
        lines.append((label, *[_time(t.milliseconds if t and t.costs else None) for t in here]))
        if statements:
            lines += _statements_beside(here)
    return lines


def _statements_beside(timings: Sequence[Timing | None]) -> list[tuple[str, ...]]:
    """A statement that two databases ran on the same line of the file is the same: the file is."""
    costs = [{cost.number: cost for cost in timing.costs} if timing else {} for timing in timings]
    first = {number: cost for one in reversed(costs) for number, cost in one.items()}
    return [
        (
            f"  {_short(first[number])}",
            *[_time(c[number].milliseconds if number in c else None) for c in costs],
        )
        for number in sorted(first)
    ]


def _short(cost: Cost) -> str:
    words = f":{cost.line} {' '.join(cost.sql.split())}"
    return words if len(words) <= _SHOWN else words[: _SHOWN - 3] + "..."


def _time(milliseconds: float | None) -> str:
    if milliseconds is None:
        return "-"
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:,.2f} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"


def _size(count: int) -> str:
    for unit, step in (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
        if count >= step:
            return f"{count / step:.1f} {unit}"
    return f"{count} B"


def chart(found: Mapping[str, Sequence[Timing]]) -> str:
    """The times as an inline SVG: a bar for each migration and database, all to one scale.

    No script, no color of its own: it takes the text's, and is read out by its title.
    """
    bars = [
        (timing.label, name if len(found) > 1 else "", timing.milliseconds)
        for name, timings in found.items()
        for timing in timings
        if timing.costs
    ]
    bars.sort(key=lambda bar: bar[0])
    most = max((ms for _, _, ms in bars), default=0.0) or 1.0
    told = "; ".join(f"{label} {name}".rstrip() + f" {_time(ms)}" for label, name, ms in bars)
    parts = [_drawn(number, *bar, most) for number, bar in enumerate(bars)]
    height = (_BAR + 6) * len(bars) + 6
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img"'
        ' font-family="sans-serif" font-size="11" fill="currentColor">'
        f"<title>Time of each migration</title><desc>{escape(told)}</desc>{''.join(parts)}</svg>\n"
    )


def _drawn(number: int, label: str, name: str, ms: float, most: float) -> str:
    y = 6 + number * (_BAR + 6)
    wide = max((_WIDTH - _LEFT - 80) * ms / most, 1.0)
    text = escape(f"{label} {name}".rstrip())
    return (
        f'<text x="{_LEFT - 6}" y="{y + 11}" text-anchor="end">{text}</text>'
        f'<rect x="{_LEFT}" y="{y}" width="{wide:.1f}" height="{_BAR}" opacity="0.6"/>'
        f'<text x="{_LEFT + wide + 6:.1f}" y="{y + 11}">{_time(ms)}</text>'
    )
