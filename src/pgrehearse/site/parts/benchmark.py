"""Numbers of committed benchmarks in the sentences and tables of a page: nobody types a measurement."""

from __future__ import annotations

import json
from pathlib import Path

from pgrehearse.errors import DocumentError

__all__ = ["figure"]


def figure(root: Path, name: str, *keys: str, places: int | None = None) -> str:
    """What ``benchmarks/NAME.json`` of the project at ``root`` holds under ``keys``, one below the other.

    A text as it stands; a number with thousands separators and ``places`` decimals, by default so many that
    two digits count.

    Raises:
        DocumentError: no such file, or nothing of that kind in it.
    """
    path = Path("benchmarks", f"{name}.json")
    try:
        found = json.loads((root / path).read_text("utf-8"))
        for key in keys:
            found = found[key]
        if isinstance(found, str):
            return found
        return f"{found:,.{_places(found) if places is None else places}f}"
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise DocumentError(
            f"benchmark({', '.join(map(repr, (name, *keys)))}) names no number: {error}",
            path=path,
            next_step="name what the file holds, or run the benchmark again with --json",
        ) from error


def _places(number: float) -> int:
    """Decimals that leave two digits that count: 0.04, 1.4, 22."""
    size, places = abs(number), 0
    while 0 < size < 9.95 and places < 3:
        size, places = size * 10, places + 1
    return places
