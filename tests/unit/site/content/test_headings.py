"""Titles of Markdown as a page has them."""

from __future__ import annotations

import pytest
from markdown import Markdown
from markdown.extensions.toc import TocExtension

from pgrehearse.site.content.headings import anchors, plain
from pgrehearse.text.fenced_blocks import Heading


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("Roll back", "Roll back"),
        ("The `lock_timeout` of *this* **one**", "The lock_timeout of this one"),
        ("See [the guide](a.md#b) first", "See the guide first"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("a ``b`c`` d", "a b`c d"),
        ("***all***", "all"),
        ("", ""),
    ],
)
def test_plain(markdown: str, text: str) -> None:
    assert plain(markdown) == text


TITLES = ["Apply", "1. Step: `a_b`", "Größe & Zahl", "Apply", "*Apply*", "1. Step: `a_b`", "a -- b", "?", "?"]


def test_anchors_are_those_of_markdown() -> None:
    page = Markdown(extensions=[TocExtension()])
    page.convert("\n\n".join(f"## {title}" for title in TITLES))
    made = [token["id"] for token in page.toc_tokens]  # type: ignore[attr-defined]
    assert anchors([Heading(2, title, 1) for title in TITLES]) == made
