"""Markdown of others: which blocks are cells, what they hold, and what is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.text.document import Document
from pgrehearse.text.foreign import ForeignReading, read
from pgrehearse.text.project import Project

FORMS = {
    "list": "- item\n\n    ```sql\n    SELECT 1\n      + 1;\n    ```\n",
    "numbered": "1. step\n\n   ```sql\n   SELECT 1\n     + 1;\n   ```\n",
    "after the mark": "- ```sql\n  SELECT 1\n    + 1;\n  ```\n",
    "tab": '=== "One"\n\n    ```sql\n    SELECT 1\n      + 1;\n    ```\n',
    "tabs": "- item\n\n\t```sql\n\tSELECT 1\n\t  + 1;\n\t```\n",
    "quotation": "> text\n> ```sql\n> SELECT 1\n>   + 1;\n> ```\n",
    "longer end": "```sql\nSELECT 1\n  + 1;\n`````\n",
    "tildes": "~~~~ sql\nSELECT 1\n  + 1;\n~~~~\n",
    "upper case": "```SQL\nSELECT 1\n  + 1;\n```\n",
    "other name": '```postgresql title="x" linenums="1"\nSELECT 1\n  + 1;\n```\n',
    "attributes": "```{.pgsql hl_lines=2}\nSELECT 1\n  + 1;\n```\n",
    "carriage returns": "```sql\r\nSELECT 1\r\n  + 1;\r\n```\r\n",
    "not closed": "text\n\n```sql\nSELECT 1\n  + 1;",
}


def of(folder: Path, text: str, how: ForeignReading | None = None) -> list[Document]:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8", newline="")
    return read(page, Project.at(folder), how or ForeignReading())


def sources(documents: list[Document]) -> list[list[str]]:
    return [[cell.source.strip() for cell in one.cells] for one in documents]


@pytest.mark.parametrize("form", FORMS)
def test_what_readers_take_for_sql_is_a_cell(tmp_path: Path, form: str) -> None:
    assert sources(of(tmp_path, FORMS[form])) == [["SELECT 1\n  + 1;"]]


@pytest.mark.parametrize(
    "text",
    [
        "```mysql\nSHOW TABLES;\n```",
        "```python\n1\n```",
        "```\nSELECT 1;\n```",
        "SELECT 1;",
        "```{.sql .noeval}\nx\n```",
    ],
)
def test_what_is_none(tmp_path: Path, text: str) -> None:
    assert of(tmp_path, text) == []


@pytest.mark.parametrize(
    "block", ["\\d x", "postgres=# SELECT 1;\n 1", "db=> SELECT 1;", "SELECT 1;\n\\watch"]
)
def test_what_was_typed_into_psql_is_only_shown(tmp_path: Path, block: str) -> None:
    [found] = of(tmp_path, f"```sql\n{block}\n```\n\n```sql\nSELECT 2;\n```\n")
    assert sources([found]) == [["SELECT 2;"]]
    assert [one.source for one in found.illustrations] == [block]


def test_what_a_comment_hides_is_no_block(tmp_path: Path) -> None:
    assert of(tmp_path, "<!--\n```sql\nSELECT 1;\n```\n-->\n") == []
    assert of(tmp_path, "````markdown\n```sql\nSELECT 1;\n```\n````\n") == []


def test_comments_above_a_block(tmp_path: Path) -> None:
    text = (
        "<!-- pgrehearse: skip it needs a file -->\n\n```sql\nA\n```\n"
        "<!-- pgrehearse: run -->\n```sql\nB\n```\n"
        "- <!-- no word for us -->\n  ```sql\n  C\n  ```\n"
        '  <!-- pgrehearse: expect="23505" session="b" -->\n  ```sql\n  D\n  ```\n'
    )
    [found] = of(tmp_path, text)
    assert [(cell.source, cell.options.expect, cell.options.session) for cell in found.cells] == [
        ("B", None, "main"),
        ("C", None, "main"),
        ("D", "23505", "b"),
    ]
    assert [one.source for one in found.illustrations] == ["A"]
    assert sources(of(tmp_path, text, ForeignReading(marked=True))) == [["B", "D"]]
    with pytest.raises(DocumentError, match=r"page.md:1: this comment says nothing known: runs"):
        of(tmp_path, "<!-- pgrehearse: runs -->\n```sql\nA\n```\n")


SECTIONS = (
    "# One\n```sql\nA\n```\n## Two\n```sql\nB\n```\n### Three\n```sql\nC\n```\n## Four\n```pgsql\nD\n```\n"
)


def test_headings_with_databases_of_their_own(tmp_path: Path) -> None:
    assert sources(of(tmp_path, SECTIONS)) == [["A", "B", "C", "D"]]
    parts = of(tmp_path, SECTIONS, ForeignReading(fresh=2))
    assert sources(parts) == [["A"], ["B", "C"], ["D"]]
    assert [one.part for one in parts] == ["One", "Two", "Four"]
    assert [cell.line for one in parts for cell in one.cells] == [2, 6, 10, 14], "lines of the file"


@pytest.mark.parametrize(
    ("without", "left"),
    [
        (("#Two",), [["A", "D"]]),
        (("#One",), []),
        (("pgsql",), [["A", "B", "C"]]),
        (("page.md",), []),
        (("docs/*", "other.md", "#Tw", "mysql"), [["A", "B", "C", "D"]]),
    ],
)
def test_what_is_left_alone(tmp_path: Path, without: tuple[str, ...], left: list[list[str]]) -> None:
    assert sources(of(tmp_path, SECTIONS, ForeignReading(without=without))) == left


def test_files_that_a_block_brings_in(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    (inside / "docs").mkdir(parents=True)
    (inside / "one.sql").write_text("A;\nB;\n-- --8<- [start: part]\nC;\n-- --8<- [end: part]\n")
    (inside / "docs" / "two.sql").write_text("D;\n")
    (tmp_path / "secret.sql").write_text("S;\n")
    block = '- x\n\n    ```sql\n    --8<-- "{}"\n    ```\n'
    for name, text in (("one.sql:2:2", "B;"), ("one.sql:part", "C;"), ("two.sql", "D;")):
        assert sources(of(inside, block.format(name))) == [[text]]
    for name in ("missing.sql", "../secret.sql", str(tmp_path / "secret.sql")):
        with pytest.raises(DocumentError, match="is not in the project"):
            of(inside, block.format(name))


PIECE = "# Set-up\n\n1. first\n\n   ```sql\n   CREATE TABLE t ();\n   ```\n"
PIECES = (
    '--8<-- "parts/setup.md"',
    "--8<--\n; parts/prose.md\nparts/setup.md\n--8<--",
    '{% include "parts/setup.md" %}',
    "{%- include-markdown 'parts/setup.md' heading-offset=1 %}",
    "{!parts/setup.md!}",
    "{{< include parts/setup.md >}}",
    "```{include} parts/setup.md\n```",
    '--8<-- "parts/deep.md"',
    "{% include setup.md %}",
)


@pytest.mark.parametrize("piece", PIECES)
def test_a_piece_of_the_page_that_holds_blocks_is_refused_by_name(tmp_path: Path, piece: str) -> None:
    for folder in ("parts", "_includes"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "setup.md").write_text(PIECE)
    (tmp_path / "parts" / "deep.md").write_text('{% include "parts/setup.md" %}\n')
    (tmp_path / "parts" / "prose.md").write_text(
        'Words, and `--8<-- "parts/setup.md"`.\n\n```bash\nls\n```\n'
    )
    page = "A page.\n\n{}\n\n```sql\nSELECT 1;\n```\n"
    with pytest.raises(DocumentError, match=r"brings in \S+\.md, whose 1 SQL block is not read") as caught:
        of(tmp_path, page.format(piece))
    assert caught.value.line in (3, 5)
    skipped = of(tmp_path, page.format(f"<!-- pgrehearse: skip it has a test -->\n\n{piece.splitlines()[0]}"))
    if len(piece.splitlines()) == 1:
        assert sources(skipped) == [["SELECT 1;"]]


@pytest.mark.parametrize(
    "piece",
    [
        '--8<-- "parts/prose.md"',
        '{% include "theme/header.html" %}',
        '`--8<-- "parts/setup.md"`, as an example',
        '```markdown\n--8<-- "parts/setup.md"\n```',
        '<!--\n--8<-- "parts/setup.md"\n-->',
        ';--8<-- "parts/setup.md"',
        "a range {1..3}, and {! no }",
    ],
)
def test_a_piece_without_blocks_is_no_matter(tmp_path: Path, piece: str) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "setup.md").write_text(PIECE)
    (tmp_path / "parts" / "prose.md").write_text("Words.\n\n```mysql\nSELECT 1;\n```\n")
    assert sources(of(tmp_path, f"{piece}\n\n```sql\nSELECT 1;\n```\n")) == [["SELECT 1;"]]


def test_a_piece_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Nobody knows whether it has blocks; where only marked ones run, it has none."""
    page = '--8<-- "https://example.org/setup.md"\n\n<!-- pgrehearse: run -->\n```sql\nSELECT 1;\n```\n'
    with pytest.raises(DocumentError, match="is not in the project: its blocks are not read"):
        of(tmp_path, page)
    assert sources(of(tmp_path, page, ForeignReading(marked=True))) == [["SELECT 1;"]]
