"""What the row of a check says: a row as psql prints it, what it refuses, what it could not see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.text.answers import single_row, stopped, unseen

OK = " preflight\n-----------\n ok\n(1 row)"


def row(**values: str) -> str:
    """One row as psql prints it."""
    widths = [max(len(name), len(value)) for name, value in values.items()]
    lines = [
        "|".join(f" {text:{width}} " for text, width in zip(texts, widths, strict=True)).rstrip()
        for texts in (values.keys(), values.values())
    ]
    return f"{lines[0]}\n{'+'.join('-' * (width + 2) for width in widths)}\n{lines[1]}\n(1 row)"


@pytest.mark.parametrize(
    ("expected", "row"),
    [
        (" a \n---\n 1\n(1 row)", {"a": "1"}),
        (" a | b\n---+---\n   | x\n(1 row)", {"a": "", "b": "x"}),
        ("   a    | b\n--------+---\n (null) | |\n(1 row)", {"a": "(null)", "b": "|"}),
        (" größe | b\n-------+---\n é     | x\n(1 row)", None),
        (" a | b\n---+---\n é | x\n(1 row)", {"a": "é", "b": "x"}),
        (" ?column?\n----------\n        1\n(1 row)", None),
        (" a\n---\n 1\n 2\n(2 rows)", None),
        (" a\n---\n(0 rows)", None),
        (" a\n---\n ...\n(1 row)", None),
        (" a\n---\n x+\n y\n(1 row)", None),
        (" a | b\n---+---\n é | y|z\n(1 row)", None),
        ("--\n(1 row)", None),
        ("SET", None),
        ("", None),
    ],
)
def test_a_single_row(expected: str, row: dict[str, str] | None) -> None:
    assert single_row(expected) == row


COLUMNS = st.lists(
    st.tuples(
        st.from_regex(r"[a-z_][a-z0-9_]{0,6}", fullmatch=True),
        st.text(st.sampled_from("abc 1|'\\:$é"), max_size=6).map(str.strip),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda column: column[0],
)


@given(COLUMNS)
def test_a_row_as_psql_prints_it_comes_back(columns: list[tuple[str, str]]) -> None:
    widths = [max(len(name), len(value)) for name, value in columns]
    lines = (
        "|".join(f" {text:{width}} " for text, width in zip(texts, widths, strict=True)).rstrip()
        for texts in zip(*columns, strict=True)
    )
    ruler = "+".join("-" * (width + 2) for width in widths)
    names, values = lines
    found = single_row(f"{names}\n{ruler}\n{values}\n(1 row)")
    assert found == dict(columns) or (
        found is None and "é" in values and "|" in "".join(v for _, v in columns)
    )


# --- what it says ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (row(preflight="stop: there is no such table"), "there is no such table"),
        (row(a="ok", verify="stop: 1 row is left"), "1 row is left"),
        (row(a="stop: one", b="stop: two"), "one; two"),
        (row(preflight="ok"), ""),
        (row(preflight="unseen: how old they are"), ""),
        (row(preflight="do not stop: never"), ""),
        ("NOTICE:  stop: it", ""),
        ("DO\nERROR:  stop: duplicates; remove them\nCONTEXT:  PL/pgSQL", "duplicates; remove them"),
        (" a\n---\n stop: x\n stop: y\n(2 rows)", ""),
    ],
)
def test_what_refuses_begins_with_stop(output: str, said: str) -> None:
    assert stopped(output) == said


@pytest.mark.parametrize(
    ("expected", "output", "said"),
    [
        (OK, row(preflight="unseen: how old they are"), "how old they are"),
        (row(a="ok", b="ok"), row(a="unseen: x", b="unseen: y"), "x; y"),
        (row(a="ok", b="1"), row(a="unseen: x", b="1"), "x"),
        (row(a="ok", b="1"), row(a="unseen: x", b="2"), ""),
        (row(a="ok", b="ok"), row(a="unseen: x", b="stop: y"), ""),
        (OK, row(verify="unseen: x"), ""),
        (OK, row(preflight="it is unseen: x"), ""),
        (OK, OK, ""),
        (OK, "ERROR:  unseen: x", ""),
        ("DO", "unseen: x", ""),
    ],
)
def test_what_was_not_seen_counts_only_where_nothing_else_is_wrong(
    expected: str, output: str, said: str
) -> None:
    assert unseen(expected, output) == said
