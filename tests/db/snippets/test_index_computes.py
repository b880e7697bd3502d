"""Indexes whose functions find something along the search path: from 17 on they cannot be built again."""

from __future__ import annotations

import pytest

from support.foreign import BACK, FORWARD, Foreign, Values

TABLE = {"table": "t"}
SPLIT = {
    **TABLE,
    "column": "place",
    "first": "a",
    "first_type": "text",
    "first_value": "split_part(value, ';', 1)",
    "second": "b",
    "second_type": "text",
    "second_value": "split_part(value, ';', 2)",
    "joined": "first || ';' || second",
}
TYPE = {**TABLE, "column": "n", "type": "bigint", "to_new": "value::bigint", "to_old": "value::integer"}
#: Runbooks that build the index, or compute it for ANALYZE, now or to roll back.
NEEDING = {
    "index-drop": {"index": '"I x"', "max_scans": "100"},
    "index-replace": {**TABLE, "index": "I x", "columns": "n", "condition": "id > 0"},
    "index-repair": {"index": '"I x"'},
    "column-split": SPLIT,
    "column-change-type": TYPE,
    "key-bigint": {**TABLE, "column": "id"},
}


def function(name: str, other: str) -> str:
    """The statement that makes a function of a text, which calls another."""
    body = f"'BEGIN RETURN {other}($1); END'"
    return f"CREATE OR REPLACE FUNCTION {name}(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS {body}"


@pytest.fixture
def foreign(foreign: Foreign) -> Foreign:
    """An index of a server of before: its function was replaced after it had been built."""
    foreign.has(
        function("plain", "lower"),
        function('"F x"', "lower"),
        "CREATE TABLE t (id int PRIMARY KEY, n int, place text NOT NULL)",
        "INSERT INTO t SELECT number, number, 'A;' || number FROM generate_series(1, 9) AS number",
        'CREATE INDEX "I x" ON t (id) WHERE "F x"(place) <> \'\'',
        function('"F x"', "plain"),
    )
    return foreign


def broken(foreign: Foreign) -> None:
    """The index as an interrupted build leaves it."""
    foreign.as_superuser("UPDATE pg_index SET indisvalid = false WHERE indexrelid = '\"I x\"'::regclass")


@pytest.mark.parametrize("runbook", NEEDING)
def test_an_index_that_cannot_be_built_again_is_named_first(foreign: Foreign, runbook: str) -> None:
    """Nothing has changed; with a SET search_path of the function the runbook is done, and undone."""
    if foreign.server.major < 17:
        pytest.skip("until 16 a build looks along the search path")
    if runbook == "index-repair":
        broken(foreign)
    before = foreign.state()
    said = foreign.play(runbook, FORWARD, NEEDING[runbook])
    assert 'stop: index public."I x" could not be built again' in said
    assert "plain(text) does not exist" in said
    assert not before.differences(foreign.state())
    foreign.has('ALTER FUNCTION "F x"(text) SET search_path = public')
    before = foreign.state()
    assert not foreign.play(runbook, FORWARD, NEEDING[runbook])
    assert not foreign.play(runbook, BACK, NEEDING[runbook])
    if runbook != "index-repair":
        assert not before.differences(foreign.state())


def test_an_invalid_index_of_such_a_function_can_be_dropped(foreign: Foreign) -> None:
    """It is what a failed build leaves, and serves no query."""
    broken(foreign)
    assert not foreign.play("index-drop", FORWARD, NEEDING["index-drop"])


@pytest.mark.parametrize("runbook", NEEDING)
def test_an_index_that_finds_its_functions_is_no_reason_to_stop(foreign: Foreign, runbook: str) -> None:
    foreign.has(function('"F x"', "public.plain"))
    if runbook == "index-repair":
        broken(foreign)
    assert not foreign.play(runbook, FORWARD, NEEDING[runbook])


TWINS = {
    "operator class": ("n, place text_pattern_ops", "n_new, place varchar_pattern_ops"),
    "no operator class": ("place text_pattern_ops, n", "place, n_new"),
    "collation": ('n, place COLLATE "C"', 'n_new, place COLLATE "POSIX"'),
    "INCLUDE": ("n) INCLUDE (place", "n_new, place"),
    "NULLS FIRST": ("place NULLS FIRST, n", "place, n_new"),
}


@pytest.mark.parametrize("kind", TWINS)
def test_a_twin_of_another_kind_is_none(foreign: Foreign, kind: str) -> None:
    own, twin = TWINS[kind]
    foreign.has('DROP INDEX "I x"', f"CREATE INDEX of_n ON t ({own})")
    values: Values = {**TYPE, "twins": f"CREATE INDEX CONCURRENTLY IF NOT EXISTS twin ON t ({twin})"}
    assert "stop: an index of the old column has no valid twin of its kind" in foreign.play(
        "column-change-type", FORWARD, values
    )
    right = own.replace("n,", "n_new,").replace("n)", "n_new)")
    right = right[:-1] + "n_new" if right.endswith(" n") else right
    foreign.has("DROP INDEX twin")
    values["twins"] = f"CREATE INDEX CONCURRENTLY IF NOT EXISTS twin ON t ({right})"
    assert not foreign.play("column-change-type", FORWARD, values)
