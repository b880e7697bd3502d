"""Titles and other lines of Markdown as a page has them: their text without marks, and their anchors."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown.extensions.toc import slugify, unique

from pgrehearse.text.fenced_blocks import Heading

__all__ = ["anchors", "plain"]


def anchors(headings: Sequence[Heading]) -> list[str]:
    """The anchors Markdown gives to these headings of one page. The check of links finds any difference."""
    taken: set[str] = set()
    return [unique(slugify(plain(heading.title), "-"), taken) for heading in headings]


def plain(markdown: str) -> str:
    """One line of Markdown as text: without links, and without the marks of code and stress."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    text = re.sub(r"(`+)(.+?)\1", r"\2", text)
    return re.sub(r"(\*{1,3})(\S(?:.*?\S)?)\1", r"\2", text)
