"""How a fact that was found differs from the committed one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.measurement.evidence.differences import told

VALUES = (
    st.none() | st.integers() | st.lists(st.sampled_from(["a", "b", "c"]), max_size=4) | st.text(max_size=3)
)


@pytest.mark.parametrize(
    ("committed", "now", "lines"),
    [
        (1, 2, ["x: committed 1, now 2"]),
        (None, [], ["x: committed None, now []"]),
        (["a"], ["b"], ["x: committed, not found now: a", "x: found now, not committed: b"]),
        (["a", "b"], ["b", "a"], ["x: in another order"]),
        (["a"], ["a", "a"], ["x: found now, not committed: a"]),
        (["a", "a", "b"], ["a", "b"], ["x: committed, not found now: a"]),
        ([], ["a"], ["x: found now, not committed: a"]),
    ],
)
def test_told(committed: Any, now: Any, lines: list[str]) -> None:
    assert told("x", committed, now) == lines


@given(VALUES, VALUES)
def test_a_difference_is_never_silent(committed: Any, now: Any) -> None:
    if committed != now:
        assert told("x", committed, now)
