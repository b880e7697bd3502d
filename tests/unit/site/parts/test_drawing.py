"""A recording as a picture: everything stands inside it, and long waits do not look short."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.site.parts.drawing import duration, parts, svg, total_ms, worst_ms


def measured(
    slices: list[float | None], gap: float = 0.0, start: float | None = None, **phases: float
) -> dict[str, Any]:
    kind = {
        "worst_by_slice_ms": slices,
        "worst_ms": max((worst or 0.0 for worst in slices), default=0.0),
        "gap_ms": gap,
        "gap_from_ms": start,
        "failed": {"55P03": 2},
    }
    return {
        "reads": kind,
        "writes": dict(kind),
        "slice_ms": 100,
        "phases_ms": {"a": 0.0, **phases, "end": 100.0 * len(slices)},
    }


def drawn(found: dict[str, Any], title: str = "x", high: float | None = None) -> ElementTree.Element:
    text = svg(
        title, found, wide_ms=max(total_ms(found), 1.0), high_ms=high if high is not None else worst_ms(found)
    )
    return ElementTree.fromstring(text)  # noqa: S314 - our own


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (0.0, "0.0 ms"),
        (0.84, "0.8 ms"),
        (9.94, "9.9 ms"),
        (9.96, "10 ms"),
        (10.0, "10 ms"),
        (999.4, "999 ms"),
        (999.6, "1.00 s"),
        (1354.0, "1.35 s"),
        (9994.0, "9.99 s"),
        (9996.0, "10.0 s"),
        (61_000.0, "61.0 s"),
    ],
)
def test_durations_have_three_digits(ms: float, said: str) -> None:
    assert duration(ms) == said


@given(st.floats(0, 1e7), st.floats(0, 1e7))
def test_a_longer_duration_never_reads_as_a_shorter_one(one: float, other: float) -> None:
    def read(said: str) -> float:
        number, unit = said.split()
        return float(number) * (1000 if unit == "s" else 1)

    short, long = sorted((one, other))
    assert read(duration(short)) <= read(duration(long))


def test_parts_are_in_order_and_last_as_long_as_they_took() -> None:
    found = measured([1.0] * 10, late=600.0, early=200.0)
    assert parts(found) == [("a", 0.0, 200.0), ("early", 200.0, 400.0), ("late", 600.0, 400.0)]
    found["took_ms"] = {"early": 900.0}  # it waited while the next part ran
    assert parts(found)[1] == ("early", 200.0, 900.0)
    found = measured([1.0], last=100.0)
    assert parts(found) == [("a", 0.0, 100.0), ("last", 100.0, 0.0)], "nothing comes after the end"


SLICES = st.lists(st.none() | st.floats(0, 1e6), min_size=1, max_size=40)


@given(SLICES, st.floats(0, 1e6), st.none() | st.floats(0, 5000), st.floats(0, 1e6))
def test_everything_stands_inside_the_picture(
    slices: list[float | None], gap: float, start: float | None, high: float
) -> None:
    root = drawn(measured(slices, gap, start), high=high)
    *_, width, height = map(float, str(root.get("viewBox")).split())
    for element in root.iter():
        for name, limit in (("x", width), ("y", height), ("width", width), ("height", height)):
            value = element.get(name)
            assert value is None or -1 <= float(value) <= limit, ElementTree.tostring(element)
        for x, y in re.findall(r"(?:H([-\d.]+))|(?:V([-\d.]+))", element.get("d") or ""):
            assert 0 <= float(x or y) <= (width if x else height)


def test_the_last_number_below_the_axis_ends_at_the_edge() -> None:
    texts = {one.text: one.get("text-anchor") for one in drawn(measured([1.0] * 8)).iter("text")}
    assert texts["800 ms"] == "end"
    assert texts["600 ms"] == "middle"


def test_a_request_is_seen_and_none_is_not() -> None:
    first, second = (
        drawn(measured([worst, 100.0])).find(".//path[@class='run-time-reads']") for worst in (0.01, None)
    )
    assert first is not None and second is not None
    base = str(first.get("d")).split()[1].split("V")[0]
    assert f"V{float(base) - 1:g}H" in str(first.get("d")), "one unit high, however short it was"
    assert f"V{float(base):g}H" in str(second.get("d"))


def test_only_a_long_gap_is_an_alarm() -> None:
    for gap, alarms in ((99.9, 0), (100.0, 2)):
        root = drawn(measured([1.0] * 10, gap, 300.0))
        assert len(root.findall(".//text[@class='run-time-alarm']")) == alarms
        assert len(root.findall(".//rect[@class='run-time-gap']")) == alarms


def test_it_is_read_out_and_names_are_text() -> None:
    found = measured([1.0, 2000.0], 1500.0, 10.0, **{"<b>&\"'": 50.0})
    root = drawn(found, "<script>")
    labelled = {element.get("id"): element.text for element in root.iter() if element.get("id")}
    title, told = (labelled[name] for name in str(root.get("aria-labelledby")).split())
    assert title == "<script>"
    assert told and "reads: longest gap 1.50 s, worst request 2.00 s, 2 failed" in told
    assert "<b>&\"' for 150 ms" in told


def test_the_same_scale_gives_the_same_height() -> None:
    """Two pictures beside each other can be compared."""
    low, high = measured([100.0]), measured([400.0])
    one, other = (
        svg("x", found, wide_ms=200.0, high_ms=400.0).split('class="run-time-grid"')[1].split("/>")[0]
        for found in (low, high)
    )
    assert one == other


def test_one_kind_alone_and_nothing_recorded() -> None:
    found = measured([5.0])
    del found["writes"]
    assert (total_ms(found), worst_ms(found)) == (100.0, 5.0)
    assert "writes" not in svg("x", found, wide_ms=100.0, high_ms=5.0)
    nothing = {"slice_ms": 1, "phases_ms": {"a": 0.0, "end": 1.0}}
    assert (total_ms(nothing), worst_ms(nothing)) == (0.0, 0.0)
    assert svg("x", nothing, wide_ms=1.0, high_ms=0.0)
