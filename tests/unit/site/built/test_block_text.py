"""The text of a block in a page and in its source can be compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown import Markdown

from pgrehearse.site.built.block_text import normal


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a\r\nb", "a\nb"),
        ("\n\na\n\n", "a"),
        ("a\n   \nb", "a\n\nb"),
        ("\tx\n  \ty", "    x\n    y"),
        ("  a", "  a"),
        ("", ""),
    ],
)
def test_what_is_the_same(text: str, same: str) -> None:
    assert normal(text) == same


@given(st.text(st.characters(exclude_characters="\r", exclude_categories=("Cs",))))
def test_what_is_normal_stays(text: str) -> None:
    assert normal(normal(text)) == normal(text)


@given(st.text(st.sampled_from("a <&\t;'\"é\n"), min_size=1))
def test_it_is_what_markdown_makes(text: str) -> None:
    """A page holds the tabs and blank lines that Python-Markdown made of the source."""
    page: list[str] = []
    markdown = Markdown()
    markdown.preprocessors.deregister("html_block")
    markdown.lines = text.split("\n")
    for preprocessor in markdown.preprocessors:
        markdown.lines = preprocessor.run(markdown.lines)
    page = markdown.lines
    assert normal("\n".join(page)) == normal(text)
