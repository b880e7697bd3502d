"""How the text of a block looks once Markdown has rendered it."""

from __future__ import annotations

__all__ = ["normal"]


def normal(text: str) -> str:
    """``text`` the way the built page holds it, so that source and page can be compared.

    Python-Markdown expands tabs to columns of four and empties lines of only blanks; the highlighter
    strips blank lines at both ends. Nothing else about a block changes.
    """
    lines = [line.expandtabs(4) for line in text.replace("\r\n", "\n").split("\n")]
    return "\n".join(line if line.strip() else "" for line in lines).strip("\n")
