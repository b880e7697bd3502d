"""The expected output of a cell, carried inside a notebook cell as trailing comments."""

from __future__ import annotations

__all__ = ["join", "take"]

#: How a comment begins.
_COMMENT = {"sql": "--", "python": "#"}
_MARK = "expected output:"


def join(language: str, source: str, expected: str) -> str:
    """``source`` with ``expected`` appended as comments."""
    comment = _COMMENT[language]
    lines = [f"{comment} {line}".rstrip() for line in expected.split("\n")]
    return "\n".join([source, f"{comment} {_MARK}", *lines])


def take(language: str, text: str) -> tuple[str, str | None]:
    """The inverse of ``join``: source and expected output, None when the cell expects none."""
    comment = _COMMENT[language]
    source, mark, comments = text.rstrip("\n").rpartition(f"\n{comment} {_MARK}\n")
    lines = comments.split("\n")
    if not mark or not all(line.startswith(comment) for line in lines):
        return text, None
    return source, "\n".join(line.removeprefix(comment).removeprefix(" ") for line in lines)
