"""The knee, the formula, percentiles and the drawing."""

from __future__ import annotations

from array import array
from xml.etree.ElementTree import fromstring

import pytest

from pgrehearse.measurement.pool_sizing.drawing import svg
from pgrehearse.measurement.pool_sizing.knee import LoadPoint, formula, knee
from pgrehearse.measurement.pool_sizing.pgbench import percentile


def curve(*tps: float) -> list[LoadPoint]:
    return [LoadPoint(2**place, each, 1.0 + place, 5.0 * (1 + place)) for place, each in enumerate(tps)]


@pytest.mark.parametrize(
    ("tps", "expected"),
    [
        ((100, 200, 390, 400, 400), 4),  # nearly the best is enough
        ((100, 200, 379, 400, 400), 8),  # and five percent less is not
        ((400, 300, 200), 1),  # more connections only harm
        ((100, 200, 400), 4),  # it still grows
        ((100,), 1),
        ((0.0, 0.0), 1),
    ],
)
def test_the_fewest_with_nearly_the_best_throughput(tps: tuple[float, ...], expected: int) -> None:
    assert knee(curve(*tps)).connections == expected


def test_the_formula_of_the_wiki() -> None:
    assert (formula(2), formula(8), formula(4, 2)) == (5, 17, 10)


@pytest.mark.parametrize(
    ("took", "percent", "expected"),
    [([1000], 50, 1.0), ([1000], 99, 1.0), ([1000, 2000, 3000], 50, 2.0), (list(range(1, 1001)), 99, 0.99)],
)
def test_a_percentile_is_one_of_the_values(took: list[int], percent: int, expected: float) -> None:
    assert percentile(array("l", took), percent) == expected


@pytest.mark.parametrize("tps", [(100, 200, 390), (100,), (0.0,)])
def test_the_drawing_shows_each_number_and_the_knee_and_stays_in_its_frame(tps: tuple[float, ...]) -> None:
    found = curve(*tps)
    drawing = fromstring(svg("<b>title</b>", found))  # noqa: S314 - ours
    texts = [element.text for element in drawing.iter() if element.tag.endswith("text")]
    assert {str(each.connections) for each in found} <= set(texts)
    assert f"knee: {knee(found).connections}" in texts
    _, _, wide, high = map(float, drawing.attrib["viewBox"].split())
    lines = [element for element in drawing.iter() if element.tag.endswith("polyline")]
    assert len(lines) == 3
    for line in lines:
        for point in line.attrib["points"].split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= wide and 0 <= y <= high
