"""The runbooks that come with the package, and their snippets: for a folder that has none of its own."""

from __future__ import annotations

from pathlib import Path

__all__ = ["RUNBOOKS", "SNIPPETS", "is_ours"]

_INSTALLED = Path(__file__).parents[1] / "handbook"
#: A checkout has them where they are written.
_FOLDER = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[3]
RUNBOOKS = _FOLDER / "runbooks"
SNIPPETS = _FOLDER / "snippets"


def is_ours(path: Path) -> bool:
    """Whether ``path`` is a runbook that came with the package."""
    return path.resolve().parent == RUNBOOKS.resolve()
