"""Relative links of a runbook, rewritten for the page that embeds it."""

from __future__ import annotations

import pytest

from pgrehearse.site.content.links import rewrite


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](b.md)", "[a](<b.md@1>)"),
        ("[a](b.md#c) and [d](../e.md)", "[a](<b.md#c@1>) and [d](<../e.md@1>)"),
        ('[a](b.md "A title")', '[a](<b.md@1> "A title")'),
        ("[a](<b c.md>)", "[a](<b c.md@1>)"),
        ("![a](b.png)", "![a](<b.png@1>)"),
        ("[a][x]\n\n[x]: b.md", "[a][x]\n\n[x]: <b.md@3>"),
        ("[a](f_(1).md)", "[a](<f_(1).md@1>)"),
        ("[a](#here)", "[a](#here)"),
        ("[a](https://x.example/b.md)", "[a](https://x.example/b.md)"),
        ("[a](mailto:a@x.example)", "[a](mailto:a@x.example)"),
        ("[a](//x.example/b.md)", "[a](//x.example/b.md)"),
        ("`[a](b.md)` [c](d.md)", "`[a](b.md)` [c](<d.md@1>)"),
        ("``a ` [a](b.md)`` [c](d.md)", "``a ` [a](b.md)`` [c](<d.md@1>)"),
        ("```text\n[a](b.md)\n```", "```text\n[a](b.md)\n```"),
        ("f(x) and g()", "f(x) and g()"),
        (
            "[a](b.md)\n\n```sql\nSELECT 1;\n```\n\n[c](d.md)",
            "[a](<b.md@1>)\n\n```sql\nSELECT 1;\n```\n\n[c](<d.md@7>)",
        ),
    ],
)
def test_rewrite(text: str, expected: str) -> None:
    assert rewrite(text, 1, lambda old, line: f"<{old}@{line}>") == expected
