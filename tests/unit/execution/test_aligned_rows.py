"""Rows of a table have one width, whatever the letters are. tests/db compares whole tables with psql."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.execution.psql_format import NULL, _cell, _row, _to_left, _to_right, _width

VALUES = st.none() | st.text(st.characters(exclude_categories=("Cs",)), max_size=12).map(str.encode)


@given(st.lists(VALUES, min_size=1, max_size=4), st.booleans())
def test_every_line_of_a_row_is_as_wide_as_its_columns(values: list[bytes | None], right: bool) -> None:
    cells = [_cell(value) for value in values]
    widths = [max(map(_width, lines)) for lines in cells]
    lines = _row(cells, widths, [_to_right if right else _to_left] * len(cells))
    assert len(lines) == max(map(len, cells))
    assert {_width(line) for line in lines} == {sum(widths) + 3 * len(cells) - 1}


@given(VALUES)
def test_nothing_printed_moves_the_cursor(value: bytes | None) -> None:
    text = "".join(_cell(value))
    assert not any(ord(char) < 0x20 or 0x7F <= ord(char) <= 0x9F for char in text)


def test_what_psql_shows_of_odd_values() -> None:
    assert _cell(None) == [NULL]
    assert _cell(b"") == [""]
    assert _cell(b"a\tb\r\x01") == ["a       b\\r\\x01"]
    assert _cell("a\n\nb\x9f".encode()) == ["a", "", "b\\u009F"]
    assert _cell(b"\xff") == ["\ufffd"]
    assert [_width(text) for text in ("abc", "größe", "表", "e\u0301", "")] == [3, 5, 2, 1, 0]
