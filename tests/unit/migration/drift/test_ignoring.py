"""Which differences a pattern of ``drift-ignore`` takes out."""

from __future__ import annotations

import pytest

from pgrehearse.migration.drift.ignoring import without
from pgrehearse.schema import Item, Schema, differences

PARTITION = Item(
    "table public.day", "partition public.day_2027", "ALTER TABLE public.day ATTACH PARTITION ..."
)
TABLE = Item("table public.day_2027", "table", "CREATE TABLE public.day_2027 ()")
COLUMN = Item("table public.day", "column note", "ALTER TABLE public.day ADD COLUMN note text")
FOUND = Schema((COLUMN, PARTITION, TABLE), 18, dumped=(TABLE, COLUMN, PARTITION))
WANTED = Schema((), 18)


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("public.day_20*", {COLUMN}),
        ("table public.day_2027", {COLUMN, PARTITION}),
        ("table public.day, column *", {PARTITION, TABLE}),
        ("*", set()),
        ("public.day_19*", {COLUMN, PARTITION, TABLE}),
        ("day_2027", {COLUMN, PARTITION, TABLE}),
        ("PUBLIC.*", {COLUMN, PARTITION, TABLE}),
    ],
)
def test_what_a_pattern_takes_out(pattern: str, left: set[Item]) -> None:
    found, wanted, ignored = without(FOUND, WANTED, {pattern: "why"})
    assert {*found.items} == {*found.dumped} == left
    assert len(differences(found, wanted)) == len(left)
    assert ignored[0].count == 3 - len(left)
    assert ("matches nothing" in ignored[0].said) == (len(left) == 3)


def test_without_patterns_nothing_is_done() -> None:
    assert without(FOUND, WANTED, {}) == (FOUND, WANTED, ())
