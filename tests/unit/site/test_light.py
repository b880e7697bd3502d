"""What the highlighter wraps for nothing is unwrapped; what has a color, and all of the text, stays."""

from __future__ import annotations

import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from pgrehearse.site.markup import light


def highlighted(language: str, text: str) -> str:
    return highlight(text, get_lexer_by_name(language), HtmlFormatter())


def text_of(html: str) -> str:
    return unescape(re.sub("<[^>]+>", "", html))


def test_what_needs_no_color_loses_its_elements_and_the_text_stays() -> None:
    html = highlighted("sql", 'SELECT a < (b) AS "x y", \'<span class="n">\' FROM :t \\gset -- why\n')
    for gone in ("n", "w", "p", "err"):
        assert f'<span class="{gone}">' in html  # else there is nothing to unwrap, and the test shows nothing
        assert f'<span class="{gone}">' not in light(html)
    for kept in ("k", "s1", "c1", "o"):
        assert light(html).count(f'<span class="{kept}">') == html.count(f'<span class="{kept}">')
    assert text_of(light(html)) == text_of(html)


def test_words_of_one_color_share_an_element() -> None:
    html = highlighted(
        "sql", "ALTER TABLE\n  t ADD CONSTRAINT IF NOT EXISTS; -- a\n-- b\nCREATE 1 'x' 'y';\n"
    )
    assert [
        '<span class="k">ALTER TABLE</span>' in light(html),
        '<span class="k">ADD CONSTRAINT IF NOT EXISTS</span>' in light(html),
        "<span class=\"s1\">'x' 'y'</span>" in light(html),
    ] == [True, True, True]
    assert text_of(light(html)) == text_of(html)


@given(
    st.lists(st.sampled_from(["SELECT", " ", "\n", "a", "'s'", "1", ",", "=", "-- c\n", '"<k>"', ":x", "::"]))
)
def test_any_text_stays_and_its_elements_are_closed(words: list[str]) -> None:
    html = highlighted("sql", "".join(words))
    assert text_of(light(html)) == text_of(html)
    assert light(html).count("<span") == light(html).count("</span>")
    assert light(light(html)) == light(html)
