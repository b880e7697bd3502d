"""What a parameter's value means: one rule, whatever stands in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError, SetupError
from pgrehearse.execution.runbook.parameters import values_of
from pgrehearse.measurement.zoo.fillings import Fillings
from pgrehearse.measurement.zoo.shapes import shapes_of
from pgrehearse.text.document import Document, load, parse
from pgrehearse.text.lint import check
from pgrehearse.text.project import Project
from pgrehearse.text.written_names import NameKind, UnreadableName, read_by_sql, typed, written
from support import ROOT
from support.name_spellings import SPELLINGS

RUNBOOKS = sorted((ROOT / "runbooks").glob("*.md"))


@pytest.mark.parametrize(("kind", "given", "meant"), SPELLINGS)
def test_a_name_is_what_is_typed_in_quotes_or_without(kind: str, given: str, meant: str | None) -> None:
    if meant is not None:
        assert written(NameKind(kind), given) == meant
        return
    with pytest.raises(UnreadableName) as error:
        written(NameKind(kind), given)
    assert error.value.fix


@pytest.mark.parametrize(("kind", "given", "meant"), SPELLINGS)
def test_what_sql_reads_means_the_same_again(kind: str, given: str, meant: str | None) -> None:
    """A value that was taken out of a log or a script may be given again."""
    if meant is not None and kind not in ("name", "names"):
        assert written(NameKind(kind), meant) == meant


@pytest.mark.parametrize(
    "name", ["a", "userId", "a,b", "a.b", '"q"', 'a"b', " a", "a ", "größe", "a b", "%s"]
)
def test_a_name_is_proposed_as_it_may_be_typed(name: str) -> None:
    assert written(NameKind.NAME, typed(name)) == name
    assert typed("a b") == "a b"


@pytest.mark.parametrize("kind", list(NameKind))
def test_no_text_takes_long(kind: NameKind) -> None:
    for text in (
        '"' * 99_999,
        "(" * 99_999,
        " " * 99_999 + "x[",
        '"a" ' * 30_000,
        "[ " * 50_000,
        "a." * 50_000,
    ):
        try:
            written(kind, text)
        except UnreadableName:
            continue


def test_the_handbooks_own_values_stay_as_they_are() -> None:
    """So everything that was measured with them holds: shapes of the zoo, examples, defaults."""
    project = Project.find(ROOT)
    fillings = Fillings(project)
    seen = 0
    for path in RUNBOOKS:
        document = load(path)
        given = {name: one.example for name, one in document.front.parameters.items()}
        assert document.front.examples() == values_of(document, given) == given, path.name
        for shape in shapes_of(project):
            filling = fillings.of(path.stem, shape)
            if filling is not None:
                wanted = {**values_of(document, given), **filling.values}
                assert values_of(document, {**given, **filling.values}) == wanted, (path.name, shape.name)
                seen += 1
    assert seen > 1000


FRONT = """---
title: S
parameters:
  table:
    description: T
    {kind}
    example: {example}
---

## Preflight

```sql
{cell}
```

## Apply

```sql
SELECT 1;
```
"""


def sample(kind: str, example: str = "items", cell: str = "SELECT :'table';") -> Document:
    kind = f"kind: {kind}" if kind else ""
    return parse(FRONT.format(kind=kind, example=example, cell=cell), Path("sample.md"))


def test_a_run_a_rehearsal_and_the_digest_have_what_is_meant() -> None:
    document = sample("relation", "app.Order")
    assert document.front.examples() == {"table": 'app."Order"'}
    assert document.front.parameters["table"].example == "app.Order"
    assert values_of(document, {"table": "Other"}) == {"table": '"Other"'}
    assert document.executed_digest == sample("", 'app."Order"').executed_digest
    assert sample("").front.parameters["table"].kind is NameKind.TEXT


def test_a_value_that_is_no_name_is_refused() -> None:
    with pytest.raises(
        SetupError, match=r"the value of parameter 'table': a.b.c has more than one dot"
    ) as error:
        values_of(sample("relation"), {"table": "a.b.c"})
    assert 'app."a.b"' in (error.value.next_step or "")


def test_an_example_that_is_no_name_is_refused() -> None:
    with pytest.raises(DocumentError, match=r"example: a.b.c has more than one dot") as error:
        sample("relation", "a.b.c")
    assert error.value.line == 4


def test_a_kind_that_is_none_is_refused() -> None:
    with pytest.raises(DocumentError, match="parameter 'table' has an unknown kind 'table'") as error:
        sample("table")
    assert "relation" in (error.value.next_step or "")


@pytest.mark.parametrize(
    ("cell", "kind", "wrong"),
    [
        ("SELECT :'table'::regclass;", "relation", ["text", "name", "sql", "type"]),
        ("SELECT to_regclass(:'table');", "relation", ["text"]),
        ("SELECT :'table'::regtype;", "type", ["text", "name"]),
        ("SELECT to_regtype(:'table');", "type", ["relation"]),
        ("SELECT FROM string_to_table(:'table', ',');", "names", ["text", "name"]),
        ("SELECT FROM string_to_table(:'table', ',');", "names_or_sql", []),
        ("SELECT FROM pg_attribute WHERE attname = :'table';", "name", ["text", "names"]),
        ("SELECT FROM pg_constraint WHERE conname IN ('a', :'table');", "name", ["text"]),
        ("SELECT format('DROP INDEX %I', :'table')\n\\gexec", "name", ["text", "relation"]),
        ('DROP TABLE :"table";', "name", ["text", "relation", "type"]),
        ("SELECT :'table'::regclass;\nDROP TABLE :\"table\";", "", ["relation"]),
        ("SELECT FROM people WHERE full_name = :'table';", "text", []),
        ("SELECT current_setting('application_name') = :'table';", "text", []),
        ("SELECT :'table' AS label;", "sql", []),
    ],
)
def test_a_parameter_says_which_kind_of_name_it_is(cell: str, kind: str, wrong: list[str]) -> None:
    def found(kind: str) -> list[str]:
        return [one.check for one in check(sample(kind, cell=cell)) if one.check == "parameter-kind"]

    if kind:
        assert found(kind) == []
    for other in wrong:
        assert found(other) == ["parameter-kind"], other
    assert not any(
        one.check == "parameter-kind" for one in check(parse("```sql\nSELECT 1;\n```\n", Path("a.md")))
    )


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("Shop.Orders", [("Shop", "shop"), ("Orders", "orders")]),
        ('"Shop"."a "" b.c"', [("Shop", "Shop"), ('a " b.c', 'a " b.c')]),
        ("ÄB$1", [("ÄB$1", "Äb$1")]),
        ("a.b.c", None),
        ("1a", None),
        ("a b", None),
        ('""', None),
        ("x" * 64, None),
        ("", None),
    ],
)
def test_what_sql_reads_in_a_value_is_told_with_what_was_typed(
    value: str, parts: list[tuple[str, str]] | None
) -> None:
    assert read_by_sql(value) == parts
