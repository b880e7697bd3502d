"""What a cell says against what it did."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.execution.cell_checks import check_output, error_failure, spaced
from pgrehearse.execution.session import StatementError
from pgrehearse.text.document import Cell, Expected, parse

TABLE = " a\n---\n 1\n(1 row)"


def cell(options: str = "", expected: str | None = None) -> Cell:
    after = "" if expected is None else f"\n```text\n{expected}\n```\n"
    (found,) = parse(f"# x\n\n```sql{options}\nSELECT 1;\nSELECT 2;\n```\n{after}", Path("x.md")).cells
    return found


ERROR = StatementError("22012", "ERROR:  division by zero", 2, "SELECT 2", 0)


def test_tables_are_followed_by_a_blank_line_as_in_psql() -> None:
    assert spaced([TABLE, "SET", TABLE, TABLE]) == [TABLE + "\n", "SET", TABLE + "\n", TABLE]
    assert spaced(["--\n(3 rows)", "x"]) == ["--\n(3 rows)\n", "x"]
    assert spaced(["NOTICE:  3 rows)", "x"]) == ["NOTICE:  3 rows)", "x"]
    assert spaced([]) == []


@given(st.lists(st.text(max_size=8)))
def test_spacing_changes_nothing_else(outputs: list[str]) -> None:
    assert [text.rstrip("\n") for text in spaced(outputs)] == [text.rstrip("\n") for text in outputs]


def test_output_is_compared_where_it_is_expected() -> None:
    assert check_output(cell(), "anything", 18) is None
    assert check_output(cell(expected="1"), "1", 18) is None
    later = cell(expected="1")
    assert later.expected is not None
    later = replace(later, expected=replace(later.expected, later=Expected("2", 7, 9, 19)))
    assert check_output(later, "1", 18) is None and check_output(later, "2", 19) is None
    differs = check_output(later, "1", 19)
    assert differs is not None and differs.line == 7
    wrong = check_output(cell(expected="1\n2"), "1\n3", 18)
    assert wrong is not None
    assert (wrong.line, wrong.message) == (8, "the output differs")
    assert "-2" in wrong.detail and "+3" in wrong.detail
    assert wrong.next_step


@pytest.mark.parametrize(
    ("options", "error", "line", "said"),
    [
        ("", None, 0, None),
        ("", ERROR, 5, "it raised SQLSTATE 22012"),
        (' expect="22012"', ERROR, 0, None),
        (' expect="22012"', None, 4, "nothing was raised; SQLSTATE 22012 was expected"),
        (' expect="55P03"', ERROR, 5, "SQLSTATE 55P03 was expected, it raised 22012"),
        (
            ' expect="22012"',
            replace(ERROR, unsent=2),
            5,
            "the expected error came before the last statement; 2",
        ),
        ("", replace(ERROR, lost=True), 5, "the connection was lost"),
        (' expect="57P01"', replace(ERROR, lost=True, sqlstate=""), 5, "the connection was lost"),
        (' expect="57P01"', replace(ERROR, lost=True, sqlstate="57P01"), 0, None),
    ],
)
def test_errors(options: str, error: StatementError | None, line: int, said: str | None) -> None:
    found = error_failure(cell(options), error)
    if said is None:
        assert found is None
    else:
        assert found is not None
        assert found.message.startswith(said)
        assert (found.line, bool(found.next_step)) == (line, True)
