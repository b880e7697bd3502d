"""Relative links of a runbook, rewritten for the page that embeds it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.site.content.links import rewrite


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](b.md)", "[a](b.md@1)"),
        ("[a](b.md#c) and [d](../e.md)", "[a](b.md#c@1) and [d](../e.md@1)"),
        ('[a](b.md "A title")', '[a](b.md@1 "A title")'),
        ("[a](<b c.md>)", "[a](<b c.md@1>)"),
        ("![a](b.png)", "![a](b.png@1)"),
        ("[a][x]\n\n[x]: b.md", "[a][x]\n\n[x]: b.md@3"),
        ("[a](f_(1).md)", "[a](f_(1).md@1)"),
        ("[a](#here)", "[a](#here)"),
        ("[a](https://x.example/b.md)", "[a](https://x.example/b.md)"),
        ("[a](mailto:a@x.example)", "[a](mailto:a@x.example)"),
        ("[a](//x.example/b.md)", "[a](//x.example/b.md)"),
        ("`[a](b.md)` [c](d.md)", "`[a](b.md)` [c](d.md@1)"),
        ("``a ` [a](b.md)`` [c](d.md)", "``a ` [a](b.md)`` [c](d.md@1)"),
        ("```text\n[a](b.md)\n```", "```text\n[a](b.md)\n```"),
        ("f(x) and g()", "f(x) and g()"),
        (
            "[a](b.md)\n\n```sql\nSELECT 1;\n```\n\n[c](d.md)",
            "[a](b.md@1)\n\n```sql\nSELECT 1;\n```\n\n[c](d.md@7)",
        ),
    ],
)
def test_rewrite(text: str, expected: str) -> None:
    assert rewrite(text, 1, lambda old, line: f"{old}@{line}") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](<b c.md>)", "[a](<../b c.md>)"),
        ('[a](<b c.md> "t")', '[a](<../b c.md> "t")'),
        ("[x]: <b c.md> 'A title'", "[x]: <../b c.md> 'A title'"),
        ("[a](<#here>)", "[a](<#here>)"),
        ('[a](b.md "see (this)")', '[a](../b.md "see (this)")'),
        ("[a](b.md 'see (this)') (c)", "[a](../b.md 'see (this)') (c)"),
        ("[a](b.md (a title))", "[a](../b.md (a title))"),
        ("[a]( b.md )", "[a]( ../b.md )"),
        ("[a]()", "[a]()"),
        ("[a](b%20c.md?x=1#y)", "[a](../b%20c.md?x=1#y)"),
        ("[größe](größe.md)", "[größe](../größe.md)"),
    ],
)
def test_what_stood_around_a_target_still_does(text: str, expected: str) -> None:
    assert rewrite(text, 1, lambda old, line: f"../{old}") == expected


@pytest.mark.parametrize("text", ["[^1]: See the docs", "Said[^note].\n\n[^note]: b.md", "*[DDL]: b.md"])
def test_a_footnote_is_no_link(text: str) -> None:
    assert rewrite(text, 1, lambda old, line: "wrong") == text


@given(st.text(st.sampled_from('[]()<>`\\#:!" ab.\n'), max_size=30))
def test_where_every_target_stays_the_text_stays(text: str) -> None:
    assert rewrite(text, 1, lambda old, line: old) == text
