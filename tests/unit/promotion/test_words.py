"""How long something takes, in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pgrehearse.promotion.quantities import told


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(), "0 s"),
        (timedelta(milliseconds=900), "0 s"),
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=61), "1 min 1 s"),
        (timedelta(hours=7, minutes=12, seconds=3), "7 h 12 min"),
        (timedelta(hours=7, seconds=3), "7 h"),
        (timedelta(days=3), "3 d"),
        (timedelta(days=1, hours=1, minutes=1), "1 d 1 h"),
    ],
)
def test_two_units_that_say_something(span: timedelta, said: str) -> None:
    assert told(span) == said
