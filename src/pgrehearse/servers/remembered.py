"""Answers that are kept in the cache: the same question has the same answer.

A question is all that its answer depends on, the code that finds it among it. Its digest is the name of
the file, and stands in it. The file is sealed: an answer that was edited, damaged, or copied from another
question is none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from pgrehearse import sealed
from pgrehearse.errors import PgRehearseError
from pgrehearse.servers.cache import subdirectory

__all__ = ["code", "digest", "keep", "recall"]

#: Answers of a kind that are kept; the oldest make room.
_MOST = 500


def digest(parts: Iterable[bytes]) -> str:
    """40 hex digits of ``parts``, of which none can run over into the next."""
    found = hashlib.sha256()
    for part in parts:
        found.update(f"{len(part)}\0".encode())
        found.update(part)
    return found.hexdigest()[:40]


@cache
def code(*packages: str) -> bytes:
    """The digest of the code in ``packages``, such as ``migration/policy``."""
    root = Path(__file__).parents[1]
    found = sorted(
        path for name in packages for path in (root / name).rglob("*") if path.suffix in (".py", ".sql")
    )
    return digest(path.read_bytes() for path in found).encode()


def recall(kind: str, name: str) -> Any:
    """The answer of that name. Raises ValueError or PgRehearseError: there is none."""
    try:
        kept = sealed.read(_place(kind, name))
    except sealed.Broken as error:
        raise ValueError(f"the file {error}") from error
    if kept.get("question") != f"{kind} {name}":
        raise ValueError("it is the answer to something else")
    return kept.get("answer")


def keep(kind: str, name: str, value: Any, *, most: int = _MOST) -> None:
    """Remember an answer, and ``most`` of its kind. Where that cannot be, it is found again."""
    with suppress(OSError, PgRehearseError):
        place = _place(kind, name)
        sealed.write(place, {"question": f"{kind} {name}", "answer": value})
        kept = sorted(place.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)
        for old in kept[:-most]:
            old.unlink(missing_ok=True)


def _place(kind: str, name: str) -> Path:
    return subdirectory(kind) / f"{name}.json"
