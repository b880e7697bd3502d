"""Blocks that pass for cells or for their output: each is refused, at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.text.document import parse
from pgrehearse.text.lint import errors
from pgrehearse.text.taken_for import taken_for

HEAD = "---\njupyter:\n  jupytext:\n    main_language: python\n---\n# x\n\n```sql\nSELECT 1 AS one;\n```\n"
ROW = " one\n-----\n   2\n(1 row)\n"
FENCED = f"```{{}}\n{ROW}```\n"


def found(below: str, head: str = HEAD) -> list[tuple[int, str]]:
    return [(one.line, one.check) for one in errors(parse(head + below, Path("docs/x.md")))]


@pytest.mark.parametrize(
    ("below", "line"),
    [
        ("\n" + FENCED.format(""), 12),
        ("\n" + FENCED.format("output"), 12),
        ("\n" + FENCED.format("console"), 12),
        ("\n" + FENCED.format("json"), 12),
        ("\n" + FENCED.format("txt"), 12),
        ("\n" + FENCED.format("TEXT"), 12),
        ("\n" + FENCED.format('text title="Output"'), 12),
        ("\n" + FENCED.format("{.text}"), 12),
        ("\n<!-- output -->\n\n" + FENCED.format("text"), 14),
        ("\n<!--\noutput\n-->\n" + FENCED.format("text"), 15),
        ("\nIt prints:\n\n" + FENCED.format("text"), 14),
        ("\nIt prints:\n\n" + FENCED.format(""), 14),
        ("\nFirst.\n\nSecond.\n\n" + FENCED.format("console"), 16),
        ("\nIt prints:\n\n" + FENCED.format("ascii"), 14),
        ("\nIt prints:\n\n" + FENCED.format("csv"), 14),
        ("\nIt prints:\n\n" + FENCED.format("table"), 14),
        ("\n```text\n...\n```\n\nOr rather:\n\n" + FENCED.format("text"), 18),
        ("\n" + "".join(f"    {line}\n" for line in ROW.splitlines()), 12),
        ("\nIt prints:\n\n" + "".join(f"\t{line}\n" for line in ROW.splitlines()), 14),
        ("\n- a list\n\nIt prints:\n\n" + "".join(f"    {line}\n" for line in ROW.splitlines()), 16),
        ("\n!!! note\n\n" + "".join(f"    {line}\n" for line in FENCED.format("").splitlines()), 14),
        ('\n=== "Output"\n\n' + "".join(f"    {line}\n" for line in FENCED.format("text").splitlines()), 14),
        ("\n> It prints:\n>\n" + "".join(f"> {line}\n" for line in FENCED.format("").splitlines()), 14),
        ("\n- " + FENCED.format("").replace("\n", "\n  "), 12),
        ("\n~~~\n" + ROW + "~~~\n", 12),
        ('\n```{.sql .noeval title="Elsewhere"}\nSELECT 2 AS one;\n```\n\n' + FENCED.format("text"), 16),
    ],
)
def test_an_output_that_is_not_compared(below: str, line: int) -> None:
    assert (line, "output-header") in found(below)


@pytest.mark.parametrize(
    "below",
    [
        "\n```text\n...\n```\n",
        "\n## Next\n\n" + FENCED.format("text"),
        "\n" + FENCED.format('{.text .noeval title="On another server"}'),
        "\n- a list\n\n    whose item goes on\n",
        "\n1. a list\n   of more lines\n\n    whose item goes on\n\n    and on\n",
        "\n!!! note\n\n    Text.\n",
        "\nText about settings:\n\n```toml\n[tool]\n```\n",
        "\nA sentence\n    that goes on indented.\n",
        "\n```sql\nSELECT 2;\n```\n",
    ],
)
def test_what_may_stand_below_a_cell(below: str) -> None:
    assert found(below) == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("```plsql\nSELECT 1;\n```", "language-alias"),
        ("```sqlite3\nSELECT 1;\n```", "language-alias"),
        ("```mysql\nSELECT 1;\n```", "language-alias"),
        ("```PL/pgSQL\nSELECT 1;\n```", "language-alias"),
        ("```postgres-explain\nSeq Scan\n```", "language-alias"),
        ("```{.postgresql}\nSELECT 1;\n```", "language-alias"),
        ("```pycon\n1\n```", "language-alias"),
        ("```python-console\n1\n```", "language-alias"),
        ("```\nSELECT count(*) FROM items\n```", "language-alias"),
        ("```text\ncreate table items (id int);\n```", "language-alias"),
        ("```text\n-- a note\nALTER TABLE items ADD b int\n```", "language-alias"),
        ("```console\nshop=> SELECT 1;\n```", "language-alias"),
        ("```console\nshop=# \\d items\n```", "language-alias"),
        ("```ddl\nx\n```", "language-alias"),
        ("```\nimport psycopg\n```", "language-alias"),
        ("```text\n>>> 1 + 1\n```", "language-alias"),
        ("    ```sql\n    SELECT 1;\n    ```", "fence-style"),
        ('=== "Tab"\n\n    ```python\n    1\n    ```', "fence-style"),
        ("Run `#!sql DROP TABLE items` now.", "inline-code"),
        ("Run `:::postgresql DROP TABLE items` now.", "inline-code"),
        ("Run ``#!python print(1)`` now.", "inline-code"),
        ("<pre><code>SELECT 1;</code></pre>", "raw-html"),
        ("<pre\n>SELECT 1;</pre>", "raw-html"),
        ("<SAMP>SELECT 1</SAMP>", "raw-html"),
        ('<code class="language-sql">SELECT 1</code>', "raw-html"),
        ("<div class='codehilite'>SELECT 1</div>", "raw-html"),
        ('<section class="hljs">SELECT 1</section>', "raw-html"),
        ('<div style="color: red; white-space: pre">SELECT 1</div>', "raw-html"),
        ("<p style='font-family:monospace'>SELECT 1</p>", "raw-html"),
        ('```sql needs="99"\nSELECT 1;\n```', "option-value"),
        ('```sql until="14"\nSELECT 1;\n```', "option-value"),
        ('```sql needs="99"\nSELECT 1;\n```', "option-value"),
    ],
)
def test_code_that_nothing_runs(text: str, rule: str) -> None:
    head = "---\njupyter:\n  jupytext:\n    main_language: python\n---\n# x\n\n"
    assert rule in [check for _, check in found(f"{text}\n", head)]


@pytest.mark.parametrize(
    "text",
    [
        "```text\nINSERT 0 1\nCREATE TABLE\n```",
        "```text\nSELECT 5\n```",
        "```text\nWith care: first this; then that.\n```",
        "```yaml\nselect: 1;\n```",
        "```javascript\nimport a from 'b';\n```",
        "```console\n$ psql -c 'SELECT 1;'\n```",
        "Write `#!/bin/sh` or `SELECT 1`, `<pre>`.",
        '<pre title="A sample">SELECT 1;</pre>',
        '```{.plsql .noeval title="Oracle"}\nSELECT 1;\n```',
    ],
)
def test_what_is_only_shown(text: str) -> None:
    assert found(f"{text}\n", "# x\n\n") == []


def test_a_long_text_is_not_looked_at_for_long() -> None:
    assert taken_for("", "(" * 5_000 + " " * 100_000) == ""
    assert taken_for("", "/*" * 50_000) == ""
