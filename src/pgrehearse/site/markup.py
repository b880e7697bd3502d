"""The site's HTML: Python prepares what is shown, ``templates/`` says how it looks.

Nothing else in this package writes a tag or escapes one; drawings are the exception, made of elements.
"""

from __future__ import annotations

import re

from markupsafe import Markup

from pgrehearse.markup import rendered

__all__ = ["light", "render"]

#: What the highlighter wraps and a reader does not need in a color: blanks, names, commas and brackets, and
#: the variables of psql, which it takes for errors.
_PLAIN = re.compile(r'<span class="(?:[wnp]|err)">([^<]*)</span>')
#: Words of one color with nothing but blanks between them.
_SAME = re.compile(r'<span class="(\w+)">([^<]*)</span>(?:(\s*)<span class="\1">([^<]*)</span>)+')
_ENDS = re.compile(r'</span>(\s*)<span class="\w+">')


def render(template: str, **values: object) -> Markup:
    """The HTML of ``templates/{template}.html.j2``. Raises UndefinedError for a value that is not given."""
    return rendered("pgrehearse.site", template, values)


def light(html: str) -> str:
    """``html`` with one element for words of one color, and none where a color says nothing.

    Half of the elements of a page of SQL, and a phone needs a quarter less time until it answers.
    """
    return _SAME.sub(lambda same: _ENDS.sub(r"\1", same[0]), _PLAIN.sub(r"\1", html))
