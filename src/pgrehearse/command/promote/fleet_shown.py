"""What ``promote status`` shows of a promotion over several databases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pgrehearse.promotion.visits import Visit
from pgrehearse.text.characters import visible

__all__ = ["fleet_json", "fleet_lines"]

_STATES = ("done", "working", "open", "failed", "skipped", "planned")
_MOST = 20  # databases that are named


def fleet_lines(fleet: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Of what `fleet_json` gives: how many are done and not; then those that failed, wait or are left out."""
    counts = Counter(one["state"] for one in fleet)
    said = ", ".join(f"{counts[state]} {state}" for state in _STATES if counts[state])
    begun = [one["wave"] for one in fleet if one["state"] not in ("planned", "skipped")]
    wave = f", wave {max(begun)} of {max(one['wave'] for one in fleet)}" if begun else ""
    yield f"    {len(fleet)} databases{wave}: {said}"
    named = [one for one in fleet if one["state"] not in ("done", "planned")]
    for one in named[:_MOST]:
        why = f": {one['said']}" if one["said"] else ""
        if one["state"] == "working":
            why = f" by {one['worker']}" + (", which is not heard of any more" if one["gone"] else "")
        yield visible(f"      {one['database']}: {one['state']}{why}")
    if len(named) > _MOST:
        yield f"      and {len(named) - _MOST} more; --json names all"


def fleet_json(visits: Sequence[Visit]) -> list[dict[str, Any]]:
    """Every database; times in seconds."""
    return [
        {
            "database": one.database,
            "wave": one.wave,
            "state": one.state,
            "attempt": one.attempt,
            "worker": one.worker,
            "seen_at": one.seen_at and one.seen_at.isoformat(),
            "blocked_seconds": one.blocked and one.blocked.total_seconds(),
            "lag_seconds": one.lag and one.lag.total_seconds(),
            "said": one.said,
            "gone": one.gone,
        }
        for one in visits
    ]
