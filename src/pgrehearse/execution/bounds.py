"""How much a cell may print: a page is read by people, and what nobody can read takes memory and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgrehearse.execution.results import wrong
from pgrehearse.findings import Finding

if TYPE_CHECKING:
    from pgrehearse.text.document import Cell

__all__ = ["ROOM", "too_long"]

#: Characters of output a cell may make: rows, notices, command tags, what a program prints.
ROOM = 4_000_000


def too_long(cell: Cell, line: int = 0, statement: str = "") -> Finding:
    """The failure of a cell that prints more than `ROOM`. ``line`` is in the document; 0 is the cell's."""
    return wrong(
        f"the cell prints more than {ROOM:,} characters; it was stopped",
        line or cell.first_line,
        statement=statement,
        next_step="ask for fewer rows, such as with LIMIT or count(*), or print a summary",
    )
