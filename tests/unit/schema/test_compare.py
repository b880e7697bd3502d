"""Two definitions side by side: what differs is named once, on the right side, and can be told apart."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.schema import Item, Schema, differences

ITEMS = st.builds(
    Item,
    st.sampled_from(["table public.t", 'table public."A b"', "view public.v", "database"]),
    st.sampled_from(["table", "column a", "column b", "owner", "comment", "view"]),
    st.sampled_from(
        ["ALTER TABLE t ADD COLUMN a int", "ALTER TABLE t ADD COLUMN a text", "SELECT '", "é", ""]
    ),
)
SCHEMAS = st.lists(ITEMS, max_size=8).map(lambda found: Schema(tuple(sorted(found)), 18))


@given(SCHEMAS)
def test_nothing_differs_from_itself(schema: Schema) -> None:
    found = differences(schema, schema)
    assert not found
    assert (len(found), found.objects, found.subjects) == (0, [], [])


@given(SCHEMAS, SCHEMAS)
def test_what_differs_leads_from_one_to_the_other(left: Schema, right: Schema) -> None:
    found = differences(left, right)
    gone, new = (
        Counter((one.object, one.subject, one.sql) for one in side)
        for side in (found.only_left, found.only_right)
    )
    before, after = (Counter((i.object, i.subject, i.sql) for i in side.items) for side in (left, right))
    assert before - gone + new == after
    assert bool(found) == (before != after)


@given(SCHEMAS, SCHEMAS)
def test_it_is_the_same_from_the_other_side(left: Schema, right: Schema) -> None:
    one, other = differences(left, right, ("a", "b")), differences(right, left, ("b", "a"))
    assert (one.only_left, one.only_right) == (other.only_right, other.only_left)
    assert one.objects == other.objects


def said(left: str, right: str, subject: str = "column a") -> list[str]:
    sides = (Schema((Item("table t", subject, sql),), 18) for sql in (left, right))
    found = differences(*sides, names=("live", "the migrations"))
    return [one.why for one in (*found.only_left, *found.only_right)]


def test_the_words_that_differ_are_quoted() -> None:
    assert said("ALTER TABLE t ADD COLUMN a int", "ALTER TABLE t ADD COLUMN a text NOT NULL") == [
        "column a: int in live, text NOT NULL in the migrations",
        "column a: text NOT NULL in the migrations, int in live",
    ]
    assert said("ADD a int", "ADD a int DEFAULT 'x y'")[0] == (
        "column a: nothing in live, DEFAULT 'x y' in the migrations"
    )


def test_of_long_texts_the_part_that_differs_is_quoted() -> None:
    body = "x := 1; " * 30
    one, other = said(f"AS $$BEGIN {body}END$$", f"AS $$BEGIN {body}RETURN; {body}END$$", "function")
    here, there = (
        "... 1; x := 1; x := 1; END$$",
        "... 1; x := 1; x := 1; RETURN; x := 1; x := 1; x := 1; x := 1; ...",
    )
    assert one == f"function: {here} in live, {there} in the migrations"
    assert other == f"function: {there} in the migrations, {here} in live"


@pytest.mark.parametrize(
    ("one", "other"), [("AS 'a  b'", "AS 'a b'"), ("AS $$a\n  b$$", "AS $$a\n b$$"), ("a  int", "a int")]
)
def test_blanks_are_no_words(one: str, other: str) -> None:
    assert said(one, other, "function")[0] == "function: spaced otherwise in the migrations"


@given(st.text(), st.text())
def test_two_versions_never_read_the_same(one: str, other: str) -> None:
    for why in said(f"AS '{one}'", f"AS '{other}'", "it"):
        if match := re.fullmatch(r"it: (.*) in live, (.*) in the migrations", why):
            assert match[1] != match[2]


def test_what_is_missing_and_what_is_there_more_than_once() -> None:
    item, other = Item("table t", "index i", "CREATE INDEX i"), Item("table t", "index i", "CREATE INDEX i2")
    found = differences(Schema((item, item), 18), Schema((item,), 18), ("live", "file"))
    assert [one.why for one in found.only_left] == ["index i: missing in file"]
    found = differences(Schema((item,), 18), Schema((other, other), 18), ("live", "file"))
    assert [one.why for one in found.only_left] == ["index i: otherwise in file"]
    assert [
        one.why for one in differences(Schema((Item("table t", "table", "x"),), 18), Schema((), 18)).only_left
    ] == ["it: missing in right"]


def test_members_of_extensions_count_only_where_the_versions_are_equal() -> None:
    member = Item("extension pg_trgm", "member function f", "x")
    other = Item("extension pg_trgm", "comment", "x")
    old = Schema((member, other), 15, versions=(("extension pg_trgm", "1.5"),))
    new = Schema((), 18, versions=(("extension pg_trgm", "1.6"),))
    assert differences(old, new).subjects == [("extension pg_trgm", "comment")]
    assert len(differences(old, Schema((), 15, versions=old.versions))) == 2
