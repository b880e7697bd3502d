"""Every block a renderer could publish is found, on its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.text.fenced_blocks import comment_lines, headings, outside, scan


def found(text: str) -> list[tuple[str, str, int, int]]:
    return [(f.language, f.body, f.line, f.end_line) for f in scan(text.split("\n"))]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a\n```sql\nx\n```\nb", [("sql", "x", 2, 4)]),
        ("```sql\n```", [("sql", "", 1, 2)]),
        ("```sql\nx", [("sql", "x", 1, 0)]),
        ("```sql\nx\n````", [("sql", "x", 1, 3)]),
        ("````md\n```sql\nx\n```\n````", [("md", "```sql\nx\n```", 1, 5)]),
        ("~~~sql\n```\n~~~", [("sql", "```", 1, 3)]),
        ("```sql\n~~~\n```", [("sql", "~~~", 1, 3)]),
        ("  ```sql\n  x\n  ```", [("sql", "  x", 1, 3)]),
        ("\t```sql\n\tx\n\t```", [("sql", "\tx", 1, 3)]),
        ("> ```sql\n> x\n> ```", [("sql", "> x", 1, 3)]),
        ("> > ```sql\n> > x\n> > ```", [("sql", "> > x", 1, 3)]),
        ("- ```sql\n  x\n  ```", [("sql", "  x", 1, 3)]),
        ("12. ```sql\n    x\n    ```", [("sql", "    x", 1, 3)]),
        ("- > 1) ```sql\n", [("sql", "", 1, 0)]),
        ("```{.sql .noeval}\nx\n```", [("sql", "x", 1, 3)]),
        ("``` sql\nx\n```", [("sql", "x", 1, 3)]),
        ("```a`b\nx", []),
        ("```code``` in a line", []),
        ("~~~a`b\nx\n~~~", [("a", "x", 1, 3)]),
        ("``\nx\n``", []),
        ("```sql\nx\n``` y\n```", [("sql", "x\n``` y", 1, 4)]),
        ("```sql\n> ```\n```", [("sql", "> ```", 1, 3)]),
    ],
)
def test_scan(text: str, wanted: list[tuple[str, str, int, int]]) -> None:
    assert found(text) == wanted


LINES = st.lists(
    st.sampled_from(
        ["```", "```sql", "````", "~~~", "  ```", "> ```", "- ```x", "text", "", "# h", "<!--", "-->"]
    ),
    max_size=12,
)


@given(LINES)
def test_fences_and_the_rest_are_the_whole_text(lines: list[str]) -> None:
    fences = scan(lines, 10)
    covered = {number for number, _ in outside(lines, fences, 10)}
    for fence in fences:
        inside = set(range(fence.line, (fence.end_line or len(lines) + 9) + 1))
        assert not covered & inside
        covered |= inside
        last = fence.end_line or len(lines) + 10
        assert fence.body == "\n".join(lines[fence.line - 9 : last - 10])
    assert covered == set(range(10, 10 + len(lines)))


def test_headings() -> None:
    text = "# A\n```\n# no\n```\n## B `x` { #b }\n##no\n### C ##\n#\t D \n    # no\n####### no\n"
    lines = text.split("\n")
    assert [(h.level, h.title, h.line) for h in headings(lines, scan(lines))] == [
        (1, "A", 1),
        (2, "B `x`", 5),
        (3, "C", 7),
        (1, "D", 8),
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a\n<!--\nb\n-->\nc", {2, 3, 4}),
        ("a <!-- b\n--> c", {1, 2}),
        ("```sql\n'<!--'\n```\nb", set()),
        ("<!--\n```sql\nx\n```\n-->\nb", {1, 2, 3, 4, 5}),
        ("<!--\n```sql\n-->\n```\nb", {1, 2, 3}),
        ("--> a", set()),
    ],
)
def test_comment_lines(text: str, wanted: set[int]) -> None:
    lines = text.split("\n")
    assert comment_lines(lines, scan(lines)) == wanted
