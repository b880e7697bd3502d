"""Where a file begins to differ from what was applied."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.migration.policy.history import _first_difference


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("a\nb\nc\n", "a\nB\nc\n", 2),
        ("a\n", "a\nb\n", 2),
        ("a\nb\n", "a\n", 1),
        ("a\n", "", 1),
        ("", "a\n", 1),
        ("a\nb", "a\nb\n", 2),
    ],
)
def test_the_line(old: str, new: str, line: int) -> None:
    assert _first_difference(old.encode(), new.encode()) == line


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_it_is_a_line_that_can_be_looked_at(old: bytes, new: bytes) -> None:
    assert 1 <= _first_difference(old, new) <= max(1, len(new.splitlines()))
