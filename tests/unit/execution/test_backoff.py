"""Which failures are worth another try, and how long is waited before it."""

from __future__ import annotations

import pytest

from pgrehearse.execution.backoff import Backoff, Pause


@pytest.mark.parametrize("sqlstate", ["55P03", "40P01", "40001"])
def test_what_may_succeed_later_is_tried_again(sqlstate: str) -> None:
    assert Backoff(2).pause(1, sqlstate) == Pause(sqlstate, number=2, of=2, seconds=0.5)


@pytest.mark.parametrize("sqlstate", [None, "", "42P01", "57014", "23505"])
def test_what_would_fail_again_is_not(sqlstate: str | None) -> None:
    assert Backoff(2).pause(1, sqlstate) is None


def test_pauses_grow_to_half_a_minute_and_end_with_the_last_try() -> None:
    found = [Backoff(10).pause(number, "55P03") for number in range(1, 11)]
    assert [pause.seconds for pause in found if pause] == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 30.0, 30.0]
    assert found[-1] is None
    assert Backoff(1).pause(1, "55P03") is None
