"""Templates: what they escape, what they do with line breaks, and that no other module writes HTML."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import ModuleType

import pytest
from jinja2 import DictLoader, UndefinedError

from pgrehearse import dashboard, markup, site
from pgrehearse.markup import inert, trusted
from pgrehearse.site.markup import render

#: What Python must leave to a template: a tag. (``<template>`` is how a traceback of Jinja calls its place.)
TAG = re.compile(r"(?<!\?P)<(?!template>)/?[a-z][a-z0-9]*(?:\s+[a-z-]+(?:=|>|\s)|\s*/?>)")


@pytest.fixture
def template(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Templates by file name, in place of the package's own."""
    found: dict[str, str] = {}
    environment = markup._environment.__wrapped__("pgrehearse.site")
    environment.loader = DictLoader(found)
    monkeypatch.setattr(markup, "_environment", lambda package: environment)
    return found


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("<p>\n  {{ a }}\n</p>\n", "<p>1</p>"),
        ("<p>\n\n    {{ a }}\n\n\n</p>", "<p>1</p>"),
        ("<b>{{ a }}</b> {{ a }}", "<b>1</b> 1"),
        ("<p>one\n   two</p>", "<p>one two</p>"),
        ("<p>\n  {% if a %}\n    {{ a }}\n  {% endif %}\n</p>", "<p>1</p>"),
        ("<tr>\n  <td>{{ a }}</td>\n  <td>2</td>\n</tr>", "<tr><td>1</td>\n<td>2</td>\n</tr>"),
        ('<i\n   class="x">', '<i class="x">'),
    ],
)
def test_a_line_break_of_a_template_is_no_blank_beside_a_tag(
    template: dict[str, str], source: str, html: str
) -> None:
    template["t.html.j2"] = source
    assert render("t", a=1) == html


def test_a_value_keeps_its_lines(template: dict[str, str]) -> None:
    template["t.html.j2"] = "<pre>\n  {{ a }}\n</pre>"
    assert render("t", a="1\n\n  2") == "<pre>1\n\n  2</pre>"


def test_values_are_escaped_and_pieces_are_not(template: dict[str, str]) -> None:
    template["piece.html.j2"] = "<b>{{ a }}</b>"
    template["t.html.j2"] = '<i title="{{ a }}">{{ piece }}</i>'
    piece = render("piece", a="<")
    assert render("t", a="\"'<&", piece=piece) == '<i title="&#34;&#39;&lt;&amp;"><b>&lt;</b></i>'
    assert render("t", a="", piece=trusted("<br>")) == '<i title=""><br></i>'


def test_what_moves_a_cursor_or_turns_words_round_is_spelled(template: dict[str, str]) -> None:
    template["t.html.j2"] = "{{ a }}"
    assert (
        render("t", a="\x1b[31m\x00\x9b \u202eevil\u2066\tx\n")
        == r"\x1B[31m\x00\u009B \u202Eevil\u2066" + "\tx\n"
    )


def test_a_value_that_is_not_given_is_an_error(template: dict[str, str]) -> None:
    template["t.html.j2"] = "<p>{{ a }}</p>"
    with pytest.raises(UndefinedError):
        render("t", b=1)


def test_inert_text_has_no_sign_that_markdown_reads() -> None:
    assert inert("a*b_|<[`\\") == "a&#42;b_&#124;&#60;&#91;&#96;&#92;"


def texts(source: str) -> list[str]:
    """Every text in a module but its docstrings."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    ]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('f"<td>{x}</td>"', True),
        ('"<a href=" + x', True),
        ('f"<br>"', True),
        ('"""Writes <b>."""\na < b', False),
        ('"a < b and b > c"', False),
    ],
)
def test_a_tag_in_python_is_seen(source: str, found: bool) -> None:
    assert any(TAG.search(text) for text in texts(source)) == found


@pytest.mark.parametrize(("part", "least"), [(site, 20), (dashboard, 3)])
def test_only_templates_write_tags(part: ModuleType, least: int) -> None:
    folder = Path(part.__path__[0])
    modules = [module for module in folder.rglob("*.py") if module.name != "markup.py"]
    assert len(modules) > least
    for module in modules:
        source = module.read_text(encoding="utf-8")
        assert not [text for text in texts(source) if TAG.search(text)], module
        assert "html import escape" not in source, module


@pytest.mark.parametrize(("part", "least"), [(site, 15), (dashboard, 5)])
def test_every_template_is_used(part: ModuleType, least: int) -> None:
    folder = Path(part.__path__[0])
    said = "".join(
        file.read_text(encoding="utf-8") for kind in ("*.py", "*.j2") for file in folder.rglob(kind)
    )
    names = [file.name.removesuffix(".html.j2") for file in (folder / "templates").iterdir()]
    assert len(names) > least
    unused = [name for name in names if not re.search(rf"[\"']{name}(?:\.html\.j2)?[\"']", said)]
    assert not unused
