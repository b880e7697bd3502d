"""HTML by templates: Python prepares what is shown, the ``templates/`` of a package say how it looks.

Every value that a template prints is escaped, and its control characters are spelled, unless a template made
it.

A line break in a template, with the indentation around it, is nothing beside a tag or a block, and one blank
within a line of text. So a template can be written over many lines, and yet Markdown sees no blank line that
would end an HTML block, and a reader no blank between two words. Cells of a table keep one line feed between
them: the search takes their words for one otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup

from pgrehearse.text.characters import visible

__all__ = ["inert", "rendered", "trusted"]

_BREAK = re.compile(r"\s*\n\s*")
_ENDS_OF_CELLS = ("</td>", "</th>", "</tr>")


def rendered(package: str, template: str, values: Mapping[str, object]) -> Markup:
    """The HTML of ``templates/{template}.html.j2`` of ``package``.

    Raises UndefinedError for a value that is not given.
    """
    return Markup(_environment(package).get_template(f"{template}.html.j2").render(values))  # noqa: S704 - escaped there


def trusted(html: str) -> Markup:
    """HTML that somebody else escaped: the highlighter, the renderer of a drawing."""
    return Markup(html)  # noqa: S704 - says so


def inert(text: object) -> Markup:
    """``text`` escaped for HTML within Markdown, which must not read anything into it."""
    return trusted(re.sub(r"[^\w .,:/-]", lambda match: f"&#{ord(match[0])};", visible(str(text))))


@cache
def _environment(package: str) -> Environment:
    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        extensions=[_Joined],
    )
    environment.filters["inert"] = inert
    return environment


def _shown(value: object) -> object:
    return value if isinstance(value, Markup) else visible(str(value))


class _Joined(Extension):
    """Takes the line breaks out of the templates' own text; values keep theirs."""

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        for token in stream:
            if token.type == "data":
                yield Token(token.lineno, "data", _BREAK.sub(_joined, token.value))
            else:
                yield token


def _joined(line_break: re.Match[str]) -> str:
    text, start, end = line_break.string, line_break.start(), line_break.end()
    if text.endswith(_ENDS_OF_CELLS, 0, start):
        return "\n"
    beside = start == 0 or end == len(text) or text[start - 1] == ">" or text[end] == "<"
    return "" if beside else " "
