"""The form of an export: what becomes a cell, with which magic, and what stays text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.errors import DocumentError
from pgrehearse.notebook import expected
from pgrehearse.notebook.export import to_notebook
from pgrehearse.text.document import Expected, parse

FRONT = "---\ntitle: T\n{more}jupyter:\n  jupytext:\n    main_language: python\n---\n\n"


def code(notebook: Any) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def runbook(apply: str, *, more: str = "", back: str = "```sql\nSELECT 1;\n```") -> str:
    cell = "```sql\nSELECT 1;\n```"
    return (
        FRONT.format(more=more)
        + f"## Preflight\n\n{cell}\n\n## Apply\n\n{apply}\n\n## Verify\n\n{cell}\n\n## Roll back\n\n{back}\n"
    )


def exported(text: str) -> Any:
    return to_notebook(parse(text, Path("x.md")), "x.md")


def test_python_steps_belong_to_a_direction_too() -> None:
    sources = code(exported(runbook("```python\ndo()\n```", back="```python\nundo()\n```")))
    assert sources[3] == "%%cell --only forward\ndo()"
    assert sources[5].startswith("%%sql --only back\n-- Says that a runbook is rolled back")
    assert sources[6] == "%%cell --only back\nundo()"


def test_options_and_outputs_survive() -> None:
    text = FRONT.format(more="") + (
        '```sql expect="55P03" name="n" session="app" timeout="5s" wait="main"\nSELECT 1;\n```\n\n'
        "```text\n a\n\n...\n```\n\n"
        '```python needs="17" timeout="5s"\nprint(1)\n```\n\n```text\n1\n```\n\n'
        "```python\nplain()\n```\n"
    )
    sources = code(exported(text))
    assert sources[1].split("\n") == [
        "%%sql --expect 55P03 --session app --wait main",
        "SELECT 1;",
        "-- expected output:",
        "--  a",
        "--",
        "-- ...",
    ]
    assert sources[2] == "%%cell --needs 17\nprint(1)\n# expected output:\n# 1"
    assert sources[3] == "plain()"


def test_a_runbook_sets_lock_timeout_and_a_guide_asks_for_a_rehearsal() -> None:
    assert code(exported(runbook("```sql\nSELECT 1;\n```")))[1] == "%%sql\nSET lock_timeout = '2s';"
    guide = code(exported(FRONT.format(more="") + "```sql\nSELECT 1;\n```\n"))
    assert "%rehearsal" in guide[0]
    assert len(guide) == 2


def test_line_breaks_in_a_description_stay_inside_the_comment() -> None:
    more = 'parameters:\n  label: {description: "two\\nlines", example: "a\\nb"}\n'
    opening = code(exported(runbook("```sql\nSELECT :'label';\n```", more=more)))[0]
    assert "label = 'a\\nb'  # two lines" in opening


@pytest.mark.parametrize("name", ["roll_back", "class"])
def test_parameters_that_cannot_be_variables_are_refused(name: str) -> None:
    more = f"parameters:\n  {name}: {{description: x, example: y}}\n"
    with pytest.raises(DocumentError, match="cannot be a variable of a notebook"):
        exported(runbook(f"```sql\nSELECT :'{name}';\n```", more=more))


def test_macros_are_left_out_and_illustrations_do_not_execute() -> None:
    text = FRONT.format(more="") + (
        "[[= runbook('x') =]]\n\n[[% if x %]]\n[[# note #]]\n\n"
        '```{.sql .noeval title="Needs a second server"}\nCREATE SUBSCRIPTION s;\n```\n\n'
        "```sql\nSELECT 1;\n```\n"
    )
    notebook = exported(text)
    assert len(code(notebook)) == 2
    shown = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert "[[" not in shown
    assert "CREATE SUBSCRIPTION s;" in shown


@pytest.mark.parametrize("language", ["sql", "python"])
@pytest.mark.parametrize("output", ["", " a\n---\n\n x\n(1 row)", "--", "# x", "-- expected output:\nx"])
def test_outputs_carried_as_comments_come_back(language: str, output: str) -> None:
    source = "one\n-- a comment\n# another"
    text, found = expected.take(language, expected.join(language, source, Expected(output, 0, 0)))
    assert (text, found and found.text) in [
        (source, output),
        (f"{source}\n-- expected output:", output.removeprefix("-- expected output:\n")),
    ]
    assert expected.take(language, source) == (source, None)


LINES = st.lists(st.text(st.sampled_from("ab-# é\x0b\u2028"), max_size=6).map(str.rstrip))


@given(st.sampled_from(["sql", "python"]), st.text(st.sampled_from("ab \n"), max_size=10), LINES)
def test_any_output_comes_back(language: str, source: str, lines: list[str]) -> None:
    """But for blanks at the ends of lines, which editors remove, and lines of nothing at the end."""
    output = "\n".join(lines).rstrip("\n")
    text, found = expected.take(language, expected.join(language, source, Expected(output, 0, 0)))
    assert (text, found and found.text) == (source, output)


@given(st.sampled_from(["sql", "python"]), LINES, LINES, LINES)
def test_what_later_servers_print_comes_back(
    language: str, some: list[str], others: list[str], last: list[str]
) -> None:
    outputs = [(0, "\n".join(some)), (17, "\n".join(others)), (19, "\n".join(last).rstrip("\n"))]
    wanted = None
    for major, output in reversed(outputs):
        wanted = Expected(output, 0, 0, major, wanted)
    assert wanted is not None
    source, found = expected.take(language, expected.join(language, "one\ntwo", wanted))
    assert found is not None
    assert (source, [(one.major, one.text) for one in found.all()]) == ("one\ntwo", outputs)
