"""A table whose own columns are called like the names that expressions use."""

from __future__ import annotations

import pytest

from support.foreign import BACK, FORWARD, Foreign, Values

TYPE = {"table": "t", "type": "bigint", "to_new": "value::bigint", "to_old": "value::int"}
SPLIT = {
    "table": "t",
    "column": "first",
    "first": "one",
    "first_type": "text",
    "first_value": "split_part(value, ';', 1)",
    "second": "two",
    "second_type": "text",
    "second_value": "split_part(value, ';', 2)",
    "joined": "first || ';' || second",
}


@pytest.fixture
def foreign(foreign: Foreign) -> Foreign:
    foreign.has(
        "CREATE TABLE t (id int PRIMARY KEY, value int, first text, second text,"
        " old int, new int, target text)",
        "INSERT INTO t SELECT n, n, n || ';x', 'y;' || n, -n, n * 2, 'z;' || n"
        " FROM generate_series(1, 9) AS n",
    )
    return foreign


@pytest.mark.parametrize(
    ("runbook", "values"),
    [
        *(("column-change-type", {**TYPE, "column": name}) for name in ("value", "old", "new")),
        *(("column-split", {**SPLIT, "column": name}) for name in ("first", "second", "target")),
    ],
)
def test_the_expressions_mean_the_value_and_no_column(foreign: Foreign, runbook: str, values: Values) -> None:
    """Each check in the runbook compares what the expressions gave, so a wrong column would be refused."""
    before = foreign.state()
    assert not foreign.play(runbook, FORWARD, values)
    column = values["column"]
    made = "one || ';' || two" if runbook == "column-split" else f'"{column}_old"'
    foreign.has(f'SELECT 1 / ("{column}" = {made})::int FROM t')
    assert not foreign.play(runbook, BACK, values)
    assert not before.differences(foreign.state())
