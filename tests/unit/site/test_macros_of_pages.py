"""A page that uses a macro lets MkDocs carry it out: otherwise readers see its text."""

from __future__ import annotations

import re

import pytest

from support import ROOT

#: A macro in prose or in a table, not one that is shown as code.
_USED = re.compile(r"(?<!`)\[\[= \w+\(")


def unrendered(text: str) -> list[str]:
    """The macros of a page that says that it has none."""
    head, _, body = text.removeprefix("---\n").partition("\n---\n")
    prose = re.sub(r"^ *(```+|~~~+).*?^ *\1", "", body, flags=re.M | re.S)
    return _USED.findall(re.sub(r"`[^`\n]*`", "", prose)) if "render_macros: false" in head else []


def test_every_page_renders_its_macros() -> None:
    pages = sorted((ROOT / "docs").rglob("*.md"))
    assert {str(page): found for page in pages if (found := unrendered(page.read_text("utf-8")))} == {}


@pytest.mark.parametrize("head", ["title: A\nrender_macros: false", "title: A"])
def test_one_that_does_not_is_seen(head: str) -> None:
    found = unrendered(f'---\n{head}\n---\n\n| [[= benchmark("fleet", "10") =]] s |\n\n`[[= shown() =]]`\n')
    assert len(found) == ("render_macros" in head)
