"""The steps of a run: their order, what is sent, and what an operator must know of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.errors import SetupError
from pgrehearse.execution.runbook.parameters import values_of
from pgrehearse.execution.runbook.steps import FORWARD, Step, steps_of
from pgrehearse.text.document import Document, parse

PARAMETERS = """
parameters:
  table: {description: Table, example: items, default: "items"}
  label: {description: Label, example: gold}
"""


def document(*cells: str, parameters: str = "") -> Document:
    """A runbook with ``cells`` in its Apply phase."""
    fences = "\n\n".join(cell if cell.startswith("```") else f"```sql\n{cell}\n```" for cell in cells)
    other = "```sql\nSELECT 1;\n```"
    return parse(
        f"---\ntitle: Sample\n{parameters.lstrip()}---\n\n# Sample\n\n## Preflight\n\n{other}\n\n## Apply\n\n"
        f"### 1. Do it\n\n{fences}\n\n## Verify\n\n{other}\n\n## Roll back\n\n{other}\n",
        Path("sample.md"),
    )


def step(cell: str, **values: str) -> Step:
    (found,) = steps_of(document(cell), ["Apply"], values)
    return found


def test_steps_stand_in_the_order_of_the_phases_that_are_asked_for() -> None:
    sample = document("SELECT 1;", "SELECT 2;")
    assert [found.label for found in steps_of(sample, FORWARD, {})] == [
        "Preflight 1/1",
        "Apply 1/2: Do it",
        "Apply 2/2: Do it",
        "Verify 1/1",
    ]
    assert [found.label for found in steps_of(sample, ["Roll back"], {})] == ["Roll back 1/1"]


def test_values_are_in_what_is_sent() -> None:
    found = step("SELECT :'label' FROM :\"table\";\nSELECT 2;", label="it's", table="a b")
    assert found.text == "SELECT 'it''s' FROM \"a b\";\nSELECT 2;"
    assert len(found.statements) == 2
    assert step("```python\nprint(':label')\n```", label="x").statements == []


@pytest.mark.parametrize(
    ("cell", "repeated"),
    [
        ("SET lock_timeout = '2s';", True),
        ("SET lock_timeout = '2s';\nCREATE TEMP TABLE t ();", True),
        ("PREPARE p AS SELECT 1;", True),
        ("/* why */ SET lock_timeout = 0;", True),
        ("SELECT pg_catalog.set_config('a.b', '1', false);", True),
        ("SET lock_timeout = '2s';\nCREATE TABLE t ();", False),
        ("SELECT 1;", False),
        ("PREPARE TRANSACTION 'x';", False),
        ("```python\nSET = 1\n```", False),
    ],
)
def test_a_step_that_only_sets_up_the_session_is_repeated(cell: str, repeated: bool) -> None:
    assert step(cell).only_of_the_session is repeated


@pytest.mark.parametrize(
    ("cell", "generated", "concurrent"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (a);", [], True),
        ('CREATE INDEX CONCURRENTLY :"index" ON :"table" (a);', [], True),
        ("CREATE INDEX CONCURRENTLY ON t (a);", [], True),
        ("SELECT 1;\nREINDEX INDEX CONCURRENTLY i;", [], True),
        ("SELECT :'statement'\n\\gexec", ["CREATE INDEX CONCURRENTLY i ON t (a)"], True),
        ("SELECT 'CREATE INDEX CONCURRENTLY i ON t (a)'\n\\gexec", [], False),
        ("SELECT :'statement'\n\\gexec", ['DROP INDEX CONCURRENTLY "i'], False),  # refused as a whole
        ("-- not concurrently\nCREATE INDEX i ON t (a);", [], False),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY v;", [], False),
    ],
)
def test_what_may_leave_something_behind_is_known(cell: str, generated: list[str], concurrent: bool) -> None:
    assert step(cell, index="i", table="t", statement="x").concurrent(generated) is concurrent


def test_parameters_have_their_default_or_what_is_given() -> None:
    sample = document("SELECT 1;", parameters=PARAMETERS)
    assert values_of(sample, {"label": "x"}) == {"table": "items", "label": "x"}
    assert values_of(sample, {"label": "x", "table": "y"}) == {"table": "y", "label": "x"}


def test_a_parameter_without_a_value_is_refused() -> None:
    with pytest.raises(SetupError) as error:
        values_of(document("SELECT 1;", parameters=PARAMETERS), {})
    assert "--set label=...  Label (such as gold)" in (error.value.next_step or "")


def test_a_parameter_that_is_not_declared_is_refused() -> None:
    with pytest.raises(SetupError) as error:
        values_of(document("SELECT 1;", parameters=PARAMETERS), {"labell": "x"})
    assert error.value.next_step == "did you mean 'label'?"
    with pytest.raises(SetupError) as error:
        values_of(document("SELECT 1;"), {"x": "y"})
    assert error.value.next_step == "it takes none"
