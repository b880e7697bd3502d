"""Expected against actual output: ``...`` stands for what varies, and for nothing else."""

from __future__ import annotations

import re
import time

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


def _spent(expected: str, actual: str, result: bool) -> float:
    started = time.process_time()
    assert matches(expected, actual) is result
    return time.process_time() - started


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("a...a...a...a...a...a...a...a...b", "a" * 20_000),
        ("...a" * 3_000 + "b", "a" * 20_000),
        ("\n".join(["...", "a"] * 1_000 + ["b"]), "a\n" * 5_000),
        ("\n".join(["..."] * 5_000 + ["b"]), "a\n" * 5_000),
        ("...\n" + "a\n" * 500 + "b", "a\n" * 3_000),
        ("x ... y " * 500 + "z", "x " * 10_000),
        ("-" * 50_000 + "... " + "-" * 1000 + "b", "-" * 100_000),
        (" " * 100_000 + "...b", " " * 100_000 + "a"),
    ],
)
def test_no_pattern_takes_long(expected: str, actual: str) -> None:
    """Each took minutes, or ended the interpreter's stack."""
    assert _spent(expected, actual, False) < 4


def test_a_difference_of_long_outputs_is_found_soon() -> None:
    started = time.process_time()
    told = diff("\n".join(f"{n % 7}" for n in range(100_000)), "\n".join(f"{n % 5}" for n in range(100_000)))
    assert time.process_time() - started < 4
    assert told.endswith(" (99595 more lines)")
    assert len(told.split("\n")) < 1_000


def _by_trying(wanted: list[str], got: list[str]) -> bool:
    """What the module promises, word by word."""
    if not wanted:
        return not got
    if wanted[0] == "...":
        return any(_by_trying(wanted[1:], got[k:]) for k in range(len(got) + 1))
    return (
        bool(got)
        and re.fullmatch(".*".join(map(re.escape, wanted[0].split("..."))), got[0]) is not None
        and _by_trying(wanted[1:], got[1:])
    )


@given(
    st.lists(st.sampled_from(["...", "a", "b", "a...", "...b", "a...b", "a...a...b"]), max_size=6),
    st.lists(st.sampled_from(["a", "b", "ab", "aab", "aa"]), max_size=6),
)
def test_the_first_place_is_as_good_as_any(wanted: list[str], got: list[str]) -> None:
    assert matches("\n".join(wanted), "\n".join(got)) is _by_trying(wanted, got)
