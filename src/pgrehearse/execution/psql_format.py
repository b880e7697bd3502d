"""Results printed the way psql prints them: aligned, border 1, ``(null)`` for NULL.

Source of the layout: ``print_aligned_text`` and ``column_type_alignment`` in ``src/fe_utils/print.c``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

__all__ = ["NULL", "Rows", "TooLong", "format_result"]

#: The values of a result, row by row; None is NULL.
Rows = Sequence[Sequence[bytes | None]]

#: How NULL is shown; the same as psql after ``\pset null '(null)'``.
NULL = "(null)"

#: Types psql aligns to the right: int8 int2 int4 oid xid cid float4 float8 money numeric xid8.
_RIGHT = frozenset((20, 21, 23, 26, 28, 29, 700, 701, 790, 1700, 5069))
_WITH_TAG = ("INSERT", "UPDATE", "DELETE", "MERGE")


class TooLong(Exception):
    """The table is longer than it may be."""


def format_result(result: PGresult, values: Rows | None = None, room: int | None = None) -> str:
    """What psql would print for a successful ``result``, without the final newline.

    Args:
        values: the rows, where they came one by one before ``result``; its own without.
        room: characters the table may take. A wide value in one row makes all rows as wide.

    Raises TooLong.
    """
    status = result.command_status.decode() if result.command_status else ""
    if result.status != ExecStatus.TUPLES_OK:
        return status
    if values is None:
        every = range(result.nfields)
        values = [[result.get_value(row, column) for column in every] for row in range(result.ntuples)]
    table = _table(result, values, room)
    return f"{table}\n\n{status}" if status.startswith(_WITH_TAG) else table


def _table(result: PGresult, values: Rows, room: int | None) -> str:
    count = result.nfields
    footer = "(1 row)" if len(values) == 1 else f"({len(values)} rows)"
    if count == 0:
        return "--\n" + footer
    names = [_cell(result.fname(i) or b"") for i in range(count)]
    right = [result.ftype(i) in _RIGHT for i in range(count)]
    rows = [[_cell(value) for value in row] for row in values]
    widths = [max(_width(x) for row in [names, *rows] for x in row[c]) for c in range(count)]
    if room is not None and sum(max(map(len, row)) for row in rows) * (sum(widths) + 3 * count) > room:
        raise TooLong
    lines = _row(names, widths, [_center] * count)
    lines.append("+".join("-" * (width + 2) for width in widths))
    sides = [_to_right if to_right else _to_left for to_right in right]
    for row in rows:
        lines.extend(_row(row, widths, sides))
    return "\n".join([line.rstrip() for line in lines] + [footer])


def _cell(value: bytes | None) -> list[str]:
    """The lines of one value, with control characters made visible as psql does."""
    text = NULL if value is None else value.decode("utf-8", "replace")
    return [_printable(line) for line in text.split("\n")]


def _printable(line: str) -> str:
    shown = ""
    for char in line:
        if char == "\t":
            shown += " " * (8 - _width(shown) % 8)
        elif char == "\r":
            shown += "\\r"
        elif ord(char) < 0x20 or char == "\x7f":
            shown += f"\\x{ord(char):02X}"
        elif "\x80" <= char <= "\x9f":
            shown += f"\\u{ord(char):04X}"
        else:
            shown += char
    return shown


def _width(text: str) -> int:
    """Columns ``text`` takes, counted like psql by single characters: joined emoji add up."""
    return len(text) if text.isascii() else sum(map(_char_width, text))


def _char_width(char: str) -> int:
    category = unicodedata.category(char)
    if category in ("Mn", "Me", "Cf"):
        return 0
    if category in ("Mc", "Zl", "Zp") or "\U0001f1e6" <= char <= "\U0001f1ff":  # the last: half a flag
        return 1
    from wcwidth import wcwidth  # 30 ms that a result in ASCII does not need

    return max(wcwidth(char), 0)


def _to_left(text: str, space: int) -> str:
    return text + " " * space


def _to_right(text: str, space: int) -> str:
    return " " * space + text


def _center(text: str, space: int) -> str:
    return " " * (space // 2) + text + " " * ((space + 1) // 2)


def _row(row: list[list[str]], widths: list[int], sides: Sequence[Callable[[str, int], str]]) -> list[str]:
    """One table row; a value of several lines makes several lines, each but its last marked with ``+``."""
    lines = []
    for level in range(max(len(value) for value in row)):
        cells = []
        for value, width, side in zip(row, widths, sides, strict=True):
            text = value[level] if level < len(value) else ""
            more = "+" if level + 1 < len(value) else " "
            cells.append(" " + side(text, width - _width(text)) + more)
        lines.append("|".join(cells))
    return lines
