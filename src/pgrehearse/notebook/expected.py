"""The expected output of a cell, carried inside a notebook cell as trailing SQL comments."""

from __future__ import annotations

__all__ = ["MARK", "join", "take"]

MARK = "-- expected output:"


def join(source: str, expected: str) -> str:
    """``source`` with ``expected`` appended as comments."""
    lines = [f"-- {line}".rstrip() for line in expected.split("\n")]
    return "\n".join([source, MARK, *lines])


def take(text: str) -> tuple[str, str | None]:
    """The inverse of ``join``: source and expected output, None when the cell expects none."""
    source, mark, comments = text.rstrip("\n").rpartition("\n" + MARK + "\n")
    lines = comments.split("\n")
    if not mark or not all(line.startswith("--") for line in lines):
        return text, None
    return source, "\n".join(line.removeprefix("--").removeprefix(" ") for line in lines)
