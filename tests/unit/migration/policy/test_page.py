"""The table of the policy's page holds the checks, each under its rule."""

from __future__ import annotations

import re

from pgrehearse.migration.policy.register import CHECKS
from support import ROOT


def table(page: str) -> list[tuple[str, int]]:
    """Check and rule of each line; a line without a rule goes on with that of the line before."""
    found, rule = [], 0
    for line in page.splitlines():
        cells = re.match(r"\| (?:\[(\d+)\]\(#[\w-]+\) )?\| `([\w-]+)` \|", line)
        if cells:
            rule = int(cells[1] or rule)
            found.append((cells[2], rule))
    return found


def test_the_page_lists_the_checks() -> None:
    page = (ROOT / "docs" / "guides" / "schema-evolution-policy.md").read_text("utf-8")
    assert table(page) == [(check.name, check.rule) for check in CHECKS.values()]


def test_a_line_is_read() -> None:
    assert table("| [4](#4-x) | `one` | y | z |\n| | `two` | y | z |\n| no | line |") == [
        ("one", 4),
        ("two", 4),
    ]
