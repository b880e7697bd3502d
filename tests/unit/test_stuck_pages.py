"""What a reader in a hurry copies stands open on the page, and is the snippet that is tested."""

from __future__ import annotations

from pathlib import Path

from pgrehearse.text.document import load

ROOT = Path(__file__).parents[2]


def test_the_query_is_the_snippet_and_is_not_folded() -> None:
    document = load(ROOT / "docs" / "stuck" / "table-is-locked.md")
    (query,) = (cell for cell in document.cells if cell.options.name == "who-is-in-the-way")
    assert query.options.snippet is None, "a long snippet is folded"
    snippet = (ROOT / "snippets" / "sql" / "who-is-in-the-way.sql").read_text("utf-8")
    assert query.source.strip() == snippet.strip()
