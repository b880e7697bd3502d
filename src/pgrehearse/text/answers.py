"""What the row of a check says besides what is expected: ``stop: ...`` or ``unseen: ...``.

``stop`` refuses and says what to do. ``unseen`` names what the role that asks may not see: nothing is known
to be wrong, so a person decides.
"""

from __future__ import annotations

import re

__all__ = ["UNSEEN", "single_row", "stopped", "unseen"]

STOP = "stop:"
UNSEEN = "unseen:"
#: How psql prints an exception whose message refuses.
_RAISED = re.compile(rf"^ERROR:  {STOP} (.+)$", re.M)


def stopped(output: str) -> str:
    """What follows ``stop:`` in the row that ``output`` is, or in its error; empty without one."""
    values = (single_row(output) or {}).values()
    rows = "; ".join(value.removeprefix(STOP).strip() for value in values if value.startswith(STOP))
    raised = _RAISED.findall(output)
    return rows or (raised[-1] if raised else "")


def unseen(expected: str, output: str) -> str:
    """What follows ``unseen:`` in the row that ``output`` is; empty unless all else is as ``expected``."""
    wanted, got = single_row(expected), single_row(output)
    if wanted is None or got is None or wanted.keys() != got.keys():
        return ""
    other = [value for name, value in got.items() if value != wanted[name]]
    if not all(value.startswith(UNSEEN) for value in other):
        return ""
    return "; ".join(value.removeprefix(UNSEEN).strip() for value in other)


def single_row(table: str) -> dict[str, str] | None:
    """Column to value when ``table`` is psql's table of one row of plain values; None otherwise.

    A value holding ``...`` varies, and a name psql has no variable for cannot be compared.
    """
    lines = table.strip("\n").split("\n")
    if len(lines) != 4 or lines[3].strip() != "(1 row)" or not re.fullmatch(r"[-+]+", lines[1].strip()):
        return None
    if "..." in table:
        return None
    edges = [match.start() for match in re.finditer(r"\+", lines[1])]
    names, values = (_cut(line, edges) for line in (lines[0], lines[2]))
    if len(names) != len(edges) + 1 or len(values) != len(names):
        return None
    if not all(re.fullmatch(r"\w+", name, re.ASCII) for name in names):
        return None
    return dict(zip(names, values, strict=True))


def _cut(line: str, edges: list[int]) -> list[str]:
    """The columns of a line. Beyond ASCII a character may be two columns wide, so the ruler is no guide."""
    if not line.isascii():
        return [part.strip() for part in line.split("|")]
    starts = [0, *[edge + 1 for edge in edges]]
    ends = [*edges, None]
    return [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]
