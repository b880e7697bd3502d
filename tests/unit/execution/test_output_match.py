"""Expected against actual output: ``...`` stands for what varies, and for nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.execution.output_match import diff, matches, merge

TABLE = " id | name\n----+------\n  1 | a\n(1 row)"


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (TABLE, TABLE),
        (f"\n\n{TABLE}  \n\n", TABLE),
        ("a\tb", "a       b"),
        ("took ... ms", "took 12.5 ms"),
        ("took ...ms", "took ms"),
        ("...", ""),
        ("...", "a\nb"),
        ("a\n...\nb", "a\nb"),
        ("a\n...\nb", "a\nb\nb\nb"),
        ("a\n...\nb\n...\nc", "a\n1\n2\nb\nc"),
        ("  ...  ", "x\ny"),
        (" a | ... | c\n----+-----+---", " a |   a long value   | c\n----+------------------+---"),
        ("a.b ... [c]*", "a.b x [c]*"),
        ("...a ... a", "a a a"),
    ],
)
def test_matches(expected: str, actual: str) -> None:
    assert matches(expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (TABLE, TABLE.replace("| a", "| b")),
        (TABLE, TABLE.replace("  1 |", " 1 |")),
        (TABLE, TABLE + "\nNOTICE:  x"),
        ("", "a"),
        ("a", ""),
        ("a\n\nb", "a\nb"),
        ("took ... ms", "took 12.5 s"),
        ("a\n...\nb", "a\nc"),
        ("a\n...\nb", "b\na"),
        ("a\n...", "b\na"),
        ("...\na", "a\nb"),
        ("a.b ...", "axb c"),
        ("a ... b", "a\nb"),
        ("..", "ab"),
        ("a  b", "a b"),
        (" ", "x"),
    ],
)
def test_does_not_match(expected: str, actual: str) -> None:
    assert not matches(expected, actual)


LINES = st.lists(
    st.sampled_from(["a", "b", "a b", "a  b", "...", "a ...", "... b", "", "--", "----", "x"]), max_size=7
)
PLAIN = st.lists(
    st.sampled_from(["a", "b", "a b", "a  b", "", "--", "----", "x", "a x", "a x b"]), max_size=7
)


@given(LINES.map("\n".join), PLAIN.map("\n".join))
def test_what_accept_writes_is_what_ran(expected: str, actual: str) -> None:
    merged = merge(expected, actual)
    assert matches(merged, actual)
    assert merge(merged, actual) == merged


@given(PLAIN.map("\n".join), PLAIN.map("\n".join))
def test_without_dots_only_equal_matches(expected: str, actual: str) -> None:
    same = expected.strip("\n") == actual.strip("\n")
    assert matches(expected, actual) is same
    assert (diff(expected, actual) == "") is same
    assert merge(expected, actual) == actual.strip("\n")


@pytest.mark.parametrize(
    ("expected", "actual", "merged"),
    [
        ("took ... ms\nold", "took 5 ms\nnew", "took ... ms\nnew"),
        ("old\ntook ... ms", "new\nmore\ntook 5 ms", "new\nmore\ntook ... ms"),
        ("took ... ms", "needed 5 s", "needed 5 s"),
        ("old\n----\n...\n(9 rows)", "new\n----\n1\n2\n(9 rows)", "new\n----\n...\n(9 rows)"),
        ("a\n...\nb", "a\n1\nc", "a\n1\nc"),
        ("a\n...", "b\n1", "b\n1"),
        ("a\n...", "a\n1", "a\n..."),
        ("...", "a", "..."),
        ("a\n...\n...\nb\nold", "a\n1\nb\nnew", "a\n...\nb\nnew"),
        ("old", "", ""),
    ],
)
def test_merge(expected: str, actual: str, merged: str) -> None:
    assert merge(expected, actual) == merged


def test_many_marks_and_many_lines_end_soon() -> None:
    expected = "\n".join(["...", "a ... a ... a"] * 20 + ["never"])
    assert not matches(expected, "\n".join(["a a a"] * 200))
    assert matches("\n".join(str(i) for i in range(5000)), "\n".join(str(i) for i in range(5000)))
