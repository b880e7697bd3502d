"""How documents are dealt out to the workers of pytest-xdist: each begins with a run of neighbours."""

from __future__ import annotations

import pytest

from pgrehearse.pytest_plugin import dealt

DOCUMENTS = [f"document {number}" for number in range(7)]  # the longest first
TESTS = [f"test {number}" for number in range(100)]


@pytest.mark.parametrize("workers", [2, 3, 4, 7])
def test_each_worker_begins_with_one_of_the_longest(workers: int) -> None:
    items = dealt(DOCUMENTS, TESTS, workers)
    assert sorted(items) == sorted(DOCUMENTS + TESTS)
    assert [item for item in items if item in TESTS] == TESTS, "in the order they had"
    assert near(items, workers)
    assert not near(DOCUMENTS + TESTS, workers), "nor is it so in the order of collection"


def near(items: list[str], workers: int) -> bool:
    """Whether the longest documents stand where the shares of the workers begin."""
    starts = [items.index(document) for document in DOCUMENTS[:workers]]
    return all(abs(start - number * len(items) / workers) <= 2 for number, start in enumerate(starts))


@pytest.mark.parametrize("first", [DOCUMENTS, []])
@pytest.mark.parametrize("others", [TESTS[:2], []])
def test_few_or_none(first: list[str], others: list[str]) -> None:
    assert sorted(dealt(first, others, 3)) == sorted([*first, *others])
