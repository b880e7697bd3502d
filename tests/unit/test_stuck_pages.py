"""What a reader in a hurry copies stands open on the page, and is the snippet that is tested."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.text.document import load

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("page", "name"),
    [("table-is-locked", "who-is-in-the-way"), ("disk-is-filling", "who-keeps-dead-rows")],
)
def test_the_query_is_the_snippet_and_is_not_folded(page: str, name: str) -> None:
    document = load(ROOT / "docs" / "stuck" / f"{page}.md")
    (query,) = (cell for cell in document.cells if cell.options.name == name)
    assert query.options.snippet is None, "a long snippet is folded"
    snippet = (ROOT / "snippets" / "sql" / f"{name}.sql").read_text("utf-8")
    assert query.source.strip() == snippet.strip()
