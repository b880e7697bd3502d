"""A runbook as a script: what is compared, and that no text becomes a command."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.errors import DocumentError
from pgrehearse.text.document import Document, parse
from pgrehearse.text.psql_script import single_row, to_psql

HEAD = "---\ntitle: {title}\njupyter:\n  jupytext: {{main_language: python}}\n{front}---\n\n# Sample\n"


def runbook(apply: str, front: str = "", title: str = "Sample") -> Document:
    cells = {"Preflight": "SELECT 1;", "Apply": apply, "Verify": "SELECT 2;", "Roll back": "SELECT 3;"}
    fences = (text if text.startswith("```") else f"```sql\n{text}\n```" for text in cells.values())
    body = "\n".join(f"## {phase}\n\n{fence}\n" for phase, fence in zip(cells, fences, strict=True))
    return parse(HEAD.format(title=title, front=front) + body, Path("sample.md"))


def script(apply: str, **more: str) -> str:
    return to_psql(runbook(apply, **more), "sample.md")


def cell(source: str, expected: str, options: str = "") -> str:
    return f"```sql{options}\n{source}\n```\n\n```text\n{expected}\n```"


# --- rows ---------------------------------------------------------------------------------------------


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


# --- texts ----------------------------------------------------------------------------------------------


def lines_outside_of_bodies(text: str) -> list[str]:
    """The lines psql would take as commands or statements of their own."""
    return [line for line in text.split("\n") if not line.startswith("--")]


@pytest.mark.parametrize("title", ["A\\rSELECT 1;", "A\\nSELECT 1;"])
def test_a_title_stays_in_its_comment(title: str) -> None:
    text = script("SELECT 1;", title=f'"{title}"')
    assert "-- A SELECT 1;" in text.split("\n")
    assert "\r" not in text


def test_an_example_stays_in_its_comment() -> None:
    example = "a\\nDROP TABLE x;"
    front = f'parameters:\n  label: {{description: x, example: "{example}", default: "{example}"}}\n'
    text = script("SELECT :'label';", front=front)
    assert not [line for line in text.split("\n") if line.startswith("DROP")]


def test_a_value_that_looks_like_the_end_of_a_body() -> None:
    text = script(cell("SELECT x AS a FROM y;", "    a\n--------\n $stop$\n(1 row)"))
    (body,) = [
        line for line in text.split("\n") if "DO $" in line and "$stop$" in line and ": a is not" in line
    ]
    tag = body.split()[1]
    assert body.count(tag) == 2
    assert body.endswith(f"{tag};")


def test_values_and_names_are_quoted() -> None:
    text = script(cell("SELECT x AS a FROM y;", "  a\n-----\n it's\n(1 row)"))
    assert "SELECT :'pgr_a' = 'it''s' AS pgr_ok \\gset" in text


def test_null_must_be_null() -> None:
    text = script(cell("SELECT x AS a FROM y;", "   a\n--------\n (null)\n(1 row)"))
    assert "\\if :{?pgr_a}\n  DO $stop$ BEGIN RAISE EXCEPTION" in text
    assert "a should be NULL" in text


def test_no_rows_must_be_none() -> None:
    text = script(cell("SELECT a FROM y;", " a\n---\n(0 rows)"))
    assert "\\set pgr_rows :ROW_COUNT" in text and ":pgr_rows = 0" in text


def test_an_expected_error() -> None:
    text = script('```sql expect="55P03"\nSELECT 1/0;\n```')
    assert (
        text.index("\\set ON_ERROR_STOP off") < text.index("SELECT 1/0;") < text.index("pgr_state :SQLSTATE")
    )
    assert ":'pgr_state' = '55P03'" in text


@pytest.mark.parametrize("expected", [" a\n---\n 1\n(1 row)", " a\n---\n(0 rows)", "x"])
def test_a_cell_of_comments_only(expected: str) -> None:
    assert "-- nothing" not in script(cell("-- nothing", expected))


@pytest.mark.parametrize(
    ("options", "guard"),
    [
        (' needs="17"', "SELECT :SERVER_VERSION_NUM >= 170000 AS pgr_here"),
        (' until="16"', "SELECT :SERVER_VERSION_NUM < 170000 AS pgr_here"),
        (
            ' needs="16" until="17"',
            "SELECT :SERVER_VERSION_NUM >= 160000 AND :SERVER_VERSION_NUM < 180000 AS pgr_here",
        ),
    ],
)
def test_cells_for_some_majors(options: str, guard: str) -> None:
    assert guard in script(f"```sql{options}\nSELECT 7;\n```")


def test_a_comment_at_the_end_does_not_take_the_semicolon() -> None:
    lines = script("SELECT 7 -- seven\n;").split("\n")
    assert lines[lines.index("SELECT 7 -- seven") + 1] == ";"


def test_gexec_has_a_line_of_its_own() -> None:
    assert "SELECT 'SELECT 1'\n\\gexec" in script("SELECT 'SELECT 1'\n\\gexec")


@pytest.mark.parametrize(
    "apply",
    [
        "```python\nprint(1)\n```",
        '```sql session="app"\nSELECT 1;\n```',
        '```sql wait="main"\nSELECT 1;\n```',
    ],
)
def test_what_psql_cannot_do_is_refused(apply: str) -> None:
    with pytest.raises(DocumentError, match="psql has one session and no Python") as caught:
        script(apply)
    assert caught.value.line


def test_a_guide_and_a_parameter_of_the_scripts_own_are_refused() -> None:
    with pytest.raises(DocumentError, match="only a runbook"):
        to_psql(parse("# x\n\n```sql\nSELECT 1;\n```\n", Path("x.md")), "x.md")
    with pytest.raises(DocumentError, match="chooses the direction"):
        script("SELECT 1;", front="parameters:\n  roll_back: {description: x, example: x}\n")
