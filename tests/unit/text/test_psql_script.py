"""A runbook as a script: what is compared, and that no text becomes a command."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.text.document import Document, parse
from pgrehearse.text.psql_script import to_psql

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
    with pytest.raises(DocumentError, match="what may stay unseen"):
        script("SELECT 1;", front="parameters:\n  accept_unseen: {description: x, example: x}\n")
