"""The site's HTML: Python prepares what is shown, ``templates/`` says how it looks.

Nothing else in this package writes a tag or escapes one; drawings are the exception, made of elements.
"""

from __future__ import annotations

from markupsafe import Markup

from pgrehearse.markup import rendered

__all__ = ["render"]


def render(template: str, **values: object) -> Markup:
    """The HTML of ``templates/{template}.html.j2``. Raises UndefinedError for a value that is not given."""
    return rendered("pgrehearse.site", template, values)
