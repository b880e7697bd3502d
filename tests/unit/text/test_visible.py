"""Text of others as it can be shown: nothing in it moves a cursor or turns words round."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.text.characters import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("größe \n\tx", "größe \n\tx"),
        ("\x1b[2J", "\\x1B[2J"),
        ("\r\x7f\x00", "\\x0D\\x7F\\x00"),
        ("\x9b", "\\u009B"),
        ("a\u202eb\u2066c", "a\\u202Eb\\u2066c"),
        ("😀 表", "😀 表"),
    ],
)
def test_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_no_control_is_left(text: str) -> None:
    shown = visible(text)
    assert not [char for char in shown if unicodedata.category(char) == "Cc" and char not in "\n\t"]
    assert not [
        char for char in shown if unicodedata.bidirectional(char) in ("RLO", "LRO", "RLI", "LRI", "PDF")
    ]
    assert visible(shown) == shown
