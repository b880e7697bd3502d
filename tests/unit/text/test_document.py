"""Documents: cells with phase, expectations and exact line numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.text.document import load, parse

PATH = Path("page.md")
RUNBOOK = """\
---
title: T
---
# Title

## Rehearsal before

## Preflight

```sql
SELECT 1;
```

## Apply { #apply }

### A step

```sql session="app"
SELECT 2;
SELECT 3;
```

```text
 ?column?
```

## Verify
```python
x = 1
```
## Roll back

```sql
SELECT 4;
```

# Other

```sql
SELECT 5;
```

## Rehearsal

```sql
SELECT 0;
```
"""


def test_lines_phases_and_order() -> None:
    document = parse(RUNBOOK, PATH)
    lines = RUNBOOK.split("\n")
    assert document.is_runbook
    assert document.title == "T"
    assert [(c.index, c.phase) for c in document.cells] == [
        (1, "Preflight"), (2, "Apply"), (3, "Verify"), (4, "Roll back"), (5, None), (6, "Rehearsal"),
    ]  # fmt: skip
    for cell in document.cells:
        assert lines[cell.line - 1].startswith("```" + cell.language)
        assert lines[cell.first_line - 1 : cell.end_line - 1] == cell.source.split("\n")
        assert lines[cell.end_line - 1] == "```"
    assert [c.source for c in document.in_order()][:2] == ["SELECT 0;", "SELECT 1;"]
    second = document.cells[1]
    assert lines[second.first_line] == "SELECT 3;"
    assert second.options.session == "app"
    assert second.expected is not None
    assert (second.expected.text, lines[second.expected.line - 1]) == (" ?column?", "```text")
    assert lines[second.expected.end_line - 1] == "```"


def test_a_page_has_no_phases() -> None:
    document = parse(RUNBOOK.replace("## Apply", "## Use"), PATH)
    assert not document.is_runbook
    assert {cell.phase for cell in document.cells} == {None}


@pytest.mark.parametrize(
    ("between", "compared"),
    [
        ("", True),
        ("\n\n\n", True),
        ("\n  \n", True),
        ("\nprose\n\n", False),
        ("\n<!-- x -->\n", False),
        ("\n```yaml\n```\n", False),
    ],
)
def test_expected_output_stands_directly_after(between: str, compared: bool) -> None:
    document = parse(f"```sql\nSELECT 1;\n```\n{between}```text\nx\n```\n", PATH)
    assert (document.cells[0].expected is not None) is compared


def test_what_later_servers_print_stands_below_and_the_last_that_fits_is_taken() -> None:
    text = (
        "```sql\nSELECT 1;\n```\n\n```text\nold\n```\n\n"
        '```text title="PostgreSQL 17 and later"\nnew\n```\n'
        '```text title="PostgreSQL 19 and later"\nnewest\n```\n'
    )
    (cell,) = parse(text, PATH).cells
    assert cell.expected is not None
    assert [cell.expected.on(major).text for major in (15, 16, 17, 18, 19, 20)] == [
        *["old"] * 2,
        *["new"] * 2,
        *["newest"] * 2,
    ]
    lines = text.split("\n")
    for one in cell.expected.all():
        assert (lines[one.line], lines[one.end_line - 1]) == (one.text, "```")
    (other,) = parse(text.replace("newest", "other"), PATH).cells
    assert other.digest != cell.digest, "a record of one is none of the other"


@pytest.mark.parametrize(
    "between", ["prose\n", "```text\nx\n```\n", '```text title="PostgreSQL 9 and later"\nx\n```\n']
)
def test_what_stands_apart_is_no_output_of_later_servers(between: str) -> None:
    later = '```text title="PostgreSQL 19 and later"\nnew\n```\n'
    (cell,) = parse(f"```sql\nSELECT 1;\n```\n```text\nold\n```\n{between}{later}", PATH).cells
    assert cell.expected is not None
    assert cell.expected.on(19).text == "old"
    (alone,) = parse(f"```sql\nSELECT 1;\n```\n{later}", PATH).cells
    assert alone.expected is None, "refused by the linter: nobody says what the others print"


@pytest.mark.parametrize("header", ["text title='x'", "text x", "texts", "txt", ""])
def test_another_header_is_no_expected_output(header: str) -> None:
    document = parse(f"```sql\nSELECT 1;\n```\n```{header}\nx\n```\n", PATH)
    assert document.cells[0].expected is None


def test_two_cells_do_not_share_an_output() -> None:
    document = parse("```sql\nSELECT 1;\n```\n```sql\nSELECT 2;\n```\n```text\nx\n```\n", PATH)
    assert [c.expected is not None for c in document.cells] == [False, True]


def test_illustrations_are_no_cells() -> None:
    text = (
        '```{.sql .noeval title="a .noeval"}\nA\n```\n'
        '```sql name="a"\nSELECT 1\n```\n'
        '```{.python title=".noeval"}\nx\n```\n'
    )
    document = parse(text, PATH)
    assert [(i.language, i.source, i.line) for i in document.illustrations] == [("sql", "A", 1)]
    assert [(c.language, c.line) for c in document.cells] == [("sql", 4), ("python", 7)]


def test_digests_change_with_what_they_cover() -> None:
    base = '```sql name="a"\nSELECT 1;\n```\n```text\nx\n```\n'
    digest = parse(base, PATH).cells[0].digest
    assert parse("\n\nmoved\n\n" + base, PATH).cells[0].digest == digest
    for old, new in (
        ('"a"', '"b"'),
        ("SELECT 1", "SELECT  1"),
        ("\nx\n", "\ny\n"),
        ("```text", "\np\n```text"),
    ):
        assert parse(base.replace(old, new), PATH).cells[0].digest != digest


def test_evidence_of_a_runbook_outlives_prose_and_nothing_else() -> None:
    head = (
        "---\ntitle: T\nstall: 1s\nparameters:\n  column:\n    description: D\n    example: price\n---\n\n"
        "# T\n\n## Preflight\n\nProse.\n\n"
    )
    cells = "```sql\nSELECT 1;\n```\n\n```text\n1\n```\n\n## Apply\n\n```sql\nSELECT :'column';\n```\n"
    base = head + cells
    digest = parse(base, PATH).executed_digest
    for old, new in (
        ("Prose.", "More\n\nprose."),
        ("title: T", "title: U"),
        ("description: D", "description: E"),
    ):
        assert parse(base.replace(old, new), PATH).executed_digest == digest, new
    for old, new in (
        ("SELECT 1", "SELECT 2"),
        ("\n1\n", "\n2\n"),
        ("```sql", "```sql session=b"),
        ("## Apply", "## Verify"),
        ("example: price", "example: cost"),
        ("example: price", "example: price\n    default: price"),
        ("stall: 1s", "stall: 2s"),
        ("stall: 1s", "stall: 1s\nundo: cannot be undone"),
        (cells, cells + cells),
    ):
        assert parse(base.replace(old, new, 1), PATH).executed_digest != digest, new


def test_carriage_returns_do_not_move_lines() -> None:
    document = parse(RUNBOOK.replace("\n", "\r\n"), PATH)
    assert [c.line for c in document.cells] == [c.line for c in parse(RUNBOOK, PATH).cells]
    assert document.cells[0].source == "SELECT 1;"


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (None, None, "no such file"),
        (b"a\nb\xff", 2, "not UTF-8"),
        (b"---\na: [\n---\n", 2, "front matter is not YAML"),
    ],
)
def test_load_refuses(tmp_path: Path, content: bytes | None, line: int | None, message: str) -> None:
    path = tmp_path / "a.md"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DocumentError, match=message) as caught:
        load(path)
    assert caught.value.path == path
    assert caught.value.line == line
    assert caught.value.next_step


def test_load_refuses_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="is a folder"):
        load(tmp_path)
