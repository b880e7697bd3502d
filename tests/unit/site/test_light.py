"""What the highlighter wraps for nothing is unwrapped; what has a color, and all of the text, stays."""

from __future__ import annotations

import re

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from pgrehearse.site.markup import light


def test_names_and_blanks_lose_their_elements_and_the_text_stays() -> None:
    sql = 'SELECT a < b AS "x y", \'<span class="n">\' FROM t; -- why\n'
    html = highlight(sql, get_lexer_by_name("sql"), HtmlFormatter())
    assert '<span class="n">' in html
    assert '<span class="w">' in html  # else there is nothing to unwrap, and the test shows nothing
    lighter = light(html)
    assert not re.search('<span class="[nw]">', lighter)
    for kept in ("k", "s1", "c1", "p"):
        assert lighter.count(f'<span class="{kept}">') == html.count(f'<span class="{kept}">')
    assert re.sub("<[^>]+>", "", lighter) == re.sub("<[^>]+>", "", html)
