"""A recording's numbers from its requests: gaps, worst waits, slices."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.measurement.traffic.recorder import TrafficRecorded, _measured


def told(
    *done: tuple[float, float], ended: float = 10.0, failed: dict[str, int] | None = None
) -> dict[str, Any]:
    kind = {"done": [list(pair) for pair in done], "due": len(done), "failed": failed or {}}
    return {"started": 100.0, "ended": ended, "kinds": {"reads": kind}}


def reads(found: dict[str, Any], slices: int = 10) -> dict[str, Any]:
    value = _measured(found, [("play", 101.0), ("end", 109.0)], slices)["reads"]
    assert isinstance(value, dict)
    return value


def test_the_longest_time_without_an_answer_is_the_gap() -> None:
    found = reads(told((1.0, 1.1), (2.0, 6.0), (9.0, 9.5)))
    assert (found["gap_from_ms"], found["gap_ms"]) == (1100, 4900.0)
    assert found["worst_ms"] == 4000.0
    assert found["worst_by_slice_ms"] == [None, 100.0, 4000.0, *[None] * 6, 500.0]


def test_nothing_answered_is_one_gap() -> None:
    found = reads(told())
    assert (found["gap_from_ms"], found["gap_ms"], found["worst_ms"]) == (0, 10_000.0, 0.0)
    assert set(found["worst_by_slice_ms"]) == {None}


def test_what_is_answered_after_the_end_counts() -> None:
    found = reads(told((9.9, 12.0)))
    assert (found["gap_ms"], found["worst_ms"]) == (12_000.0, 2100.0)


def test_failed_requests_are_due_and_not_done() -> None:
    found = reads(told((1.0, 1.1), (2.0, 2.1), failed={"55P03": 1}))
    assert (found["due"], found["done"], found["failed"]) == (2, 1, {"55P03": 1})


def test_parts_begin_where_they_were_first_marked() -> None:
    marks = [("a", 101.0), ("b", 103.0), ("a", 105.0), ("end", 109.0)]
    found = _measured(told(), marks, 10)
    assert found["phases_ms"] == {"a": 1000.0, "b": 3000.0, "end": 9000.0}
    assert (found["runbook_ms"], found["slice_ms"]) == (8000, 1000)


REQUESTS = st.lists(st.tuples(st.floats(0, 10), st.floats(0, 5)), max_size=20)


@given(REQUESTS, st.integers(1, 50))
def test_no_request_is_lost(requests: list[tuple[float, float]], slices: int) -> None:
    done = [(due, due + took) for due, took in requests]
    found = reads(told(*done), slices)
    worst = [value for value in found["worst_by_slice_ms"] if value is not None]
    assert len(found["worst_by_slice_ms"]) == slices
    assert max(worst, default=0.0) == found["worst_ms"]
    assert bool(worst) == bool(done)
    assert 0 < found["gap_ms"] <= 15_000
    assert 0 <= found["gap_from_ms"] / 1000 <= max([10.0, *(end for _, end in done)])


def test_the_longest_of_all_is_named() -> None:
    measured = {"reads": {"worst_ms": 5.0, "gap_ms": 50.0}, "writes": {"worst_ms": 70.0, "gap_ms": 60.0}}
    assert TrafficRecorded([], {"reads": {}, "writes": {}}, measured).longest == (70.0, "one of the writes")
    measured["reads"]["gap_ms"] = 71.0
    assert TrafficRecorded([], {"reads": {}, "writes": {}}, measured).longest == (71.0, "a gap of the reads")


@pytest.mark.parametrize("ended", [0.0, 0.001])
def test_a_recording_of_no_time(ended: float) -> None:
    assert reads(told(ended=ended))["gap_ms"] == ended * 1000
