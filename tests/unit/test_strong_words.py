"""Strong words are found where no cell stands beside them, and only there."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from pgrehearse.text.document import parse
from support import ROOT

_SPEC = importlib.util.spec_from_file_location("strong_words", ROOT / "tools" / "strong_words.py")
assert _SPEC is not None and _SPEC.loader is not None
strong_words = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(strong_words)
CELL = "\n```sql\nSELECT 1;\n```\n"


def found(text: str) -> list[int]:
    return [finding.line for finding in strong_words.offenders(parse(text, Path("page.md")))]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("# A\n\n## One\n\nIt reads.\nNobody waits.\n\n## Two\n" + CELL, [6]),
        ("# A\n\n## One\n\n- It is safe.\n\nIt never waits.\n", [5, 7]),
        ("# A\n\n## One\n\n### Below\n\nOnly this.\n\n### Other\n" + CELL, [7]),
        ("---\ntitle: A\n---\n# A\n\nEvery row.\n", [6]),
        ("# A\n\n## One\n\nEvery row.\n\n```{.sql .noeval}\nSELECT 1;\n```\n", [5]),
        ("# A\n\n## One\n\n| step | Safely |\n|---|---|\n", [5]),
    ],
)
def test_a_strong_word_without_a_cell_is_found(text: str, lines: list[int]) -> None:
    assert found(text) == lines


@pytest.mark.parametrize(
    "text",
    [
        "# A\n\n## One\n\nNobody waits.\n" + CELL,
        "# A\n\n## One\n\nNobody waits.\n\n### Below\n" + CELL,
        "# A\n\nNobody waits.\n\n## One\n" + CELL,
        "# A\n\n## One\n\nNobody waits:\n[proof](other.md#one).\n",
        "# A\n\n## One\n\nIts session is read-only, and everything safety says.\n",
        "# A\n\n## One\n\n```text\nonly\n```\n",
        "# Never\n\n## Always\n",
    ],
)
def test_one_beside_a_cell_or_a_link_is_not(text: str) -> None:
    assert found(text) == []


def test_pages_of_the_project_have_none() -> None:
    """And there are pages to look at."""
    assert strong_words.main([]) == 0
    assert all(any((ROOT / place).glob("*.md")) for place in strong_words.PLACES)
