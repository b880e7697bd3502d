"""The expected outputs of a cell, carried inside a notebook cell as trailing comments."""

from __future__ import annotations

import re

from pgrehearse.text.document import Expected

__all__ = ["join", "take"]

#: How a comment begins.
_COMMENT = {"sql": "--", "python": "#"}
_MARK = re.compile(r"expected output(?: of PostgreSQL ([1-9]\d) and later)?:")


def join(language: str, source: str, expected: Expected) -> str:
    """``source`` with ``expected`` and what later servers print appended as comments."""
    comment, lines = _COMMENT[language], [source]
    for one in expected.all():
        of = f" of PostgreSQL {one.major} and later" if one.major else ""
        lines.append(f"{comment} expected output{of}:")
        lines += [f"{comment} {line}".rstrip() for line in one.text.split("\n")]
    return "\n".join(lines)


def take(language: str, text: str) -> tuple[str, Expected | None]:
    """The inverse of ``join``: source and expected output, None when the cell expects none.

    The lines of an output are those of the cell, counted from the magic above it.
    """
    comment, lines = _COMMENT[language], text.rstrip("\n").split("\n")
    end, expected = len(lines), None
    for number in range(end - 1, 0, -1):
        if not lines[number].startswith(comment):
            break
        mark = _MARK.fullmatch(lines[number].removeprefix(f"{comment} "))
        if mark is None or number + 1 == end:
            continue
        output = [line.removeprefix(comment).removeprefix(" ") for line in lines[number + 1 : end]]
        line = number + 2
        expected = Expected("\n".join(output), line, line, int(mark[1] or 0), expected)
        if not mark[1]:
            return "\n".join(lines[:number]), expected
        end = number
    return text, None
