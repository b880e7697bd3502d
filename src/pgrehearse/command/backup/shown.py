"""How evidence, receipts and the progress of a backup look."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pgrehearse.backup.demand import Demand, Missing
from pgrehearse.backup.receipt import Evidence, Receipt
from pgrehearse.command import terminal
from pgrehearse.command.terminal import Column

__all__ = ["lines", "missing_lines", "progress", "summary"]

_COLUMNS = (Column(""), Column("level"), Column("check"), Column("evidence", 60))
_COLORS = {"ok": "green", "missing": "red"}


def lines(evidence: Sequence[Evidence]) -> str:
    """A line for each thing that was looked at, with what to do about what is missing below it."""
    rows = []
    for one in evidence:
        below = f"\nnext: {one.next_step}" if one.next_step and not one.ok else ""
        rows.append(("ok" if one.ok else "missing", one.level.said, one.check, one.said + below))
    return terminal.table(_COLUMNS, rows, within=terminal.width(), colors=_COLORS)


def missing_lines(found: Sequence[Missing]) -> list[str]:
    """What a receipt lacks, two lines each."""
    return [line for one in found for line in (f"  {one.check}: {one.said}", f"    next: {one.next_step}")]


def summary(receipt: Receipt, demand: Demand) -> str:
    """What is proven, in a sentence."""
    reached = receipt.level
    said = reached.said if reached else "not even listed"
    if receipt.damaged:
        return f"{receipt.backup}: {said}, and then refused"
    return f"{receipt.backup}: {said}" + (
        "" if demand.met(receipt) else f"; {demand.level.said} is asked for"
    )


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """Bytes, rate and remaining time, on a terminal."""
    begun: dict[str, float] = {}
    last = 0.0
    with terminal.ProgressLine(sys.stderr) as line:

        def say(what: str, done: int, total: int) -> None:
            nonlocal last
            now = time.monotonic()
            since = begun.setdefault(what, now)
            if now - last < 0.1:
                return
            last = now
            line.say(_told(what, done, total, now - since))

        yield say


def _told(what: str, done: int, total: int, seconds: float) -> str:
    parts = [what]
    if done and total >= done:
        parts.append(f"{done / (1 << 20):,.0f} of {total / (1 << 20):,.0f} MB")
    elif done > 1 << 20:
        parts.append(f"{done / (1 << 20):,.0f} MB")
    rate = done / seconds if seconds > 0.5 else 0.0
    if rate > 1 << 20:
        parts.append(f"{rate / (1 << 20):,.0f} MB/s")
        if total > done:
            parts.append(f"{(total - done) / rate:,.0f} s left")
    return ", ".join([*parts, f"{seconds:,.0f} s"])
