"""Patterns in the navigation: every page once, where a reader would look for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pgrehearse.site.content.navigation import expanded
from support.projects import write

RUNBOOKS = ("runbooks/enum-add.md", "runbooks/enum-drop.md", "runbooks/index.md")
PAGES = ("index.md", "guide/a.md", "guide/b.md", *RUNBOOKS)


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    for page in PAGES:
        write(tmp_path, page, "# x\n")
    return tmp_path


@pytest.mark.parametrize(
    ("nav", "found"),
    [
        ([], []),
        (["index.md"], ["index.md"]),
        (["guide/*.md"], ["guide/a.md", "guide/b.md"]),
        (
            [{"Guides": ["guide/*.md"]}, {"None": ["nothing/*.md"]}],
            [{"Guides": ["guide/a.md", "guide/b.md"]}],
        ),
        # A page that is named stands there only, before or after the pattern, however deep.
        (["guide/*.md", {"Last": ["guide/a.md"]}], ["guide/b.md", {"Last": ["guide/a.md"]}]),
        ([{"Title": "guide/a.md"}, "guide/*.md"], [{"Title": "guide/a.md"}, "guide/b.md"]),
        (
            ["runbooks/enum-*.md", "runbooks/*.md"],
            [*RUNBOOKS],
        ),
        ([{"Elsewhere": "https://example.com/"}], [{"Elsewhere": "https://example.com/"}]),
    ],
)
def test_expanded(docs: Path, nav: list[Any], found: list[Any]) -> None:
    assert expanded(nav, docs, None) == found


def test_titles_come_from_where_they_are_asked(docs: Path) -> None:
    found = expanded(["guide/*.md", "missing.md", {"Own": "index.md"}], docs, lambda page: f"T: {page}")
    assert found == [
        {"T: guide/a.md": "guide/a.md"},
        {"T: guide/b.md": "guide/b.md"},
        "missing.md",
        {"Own": "index.md"},
    ]
