"""The list of changes: an entry names the migration, and says something about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.migration.policy.breaking import has_entry
from support.projects import write


@pytest.mark.parametrize(
    ("text", "version", "found"),
    [
        ("* `20260101_drop.sql`: release 3 first\n", "20260101", True),
        ("## 20260101_drop\n\nRelease 3 first.\n", "20260101", True),
        ("20260101: release 3 first", "20260101", True),
        ("| 20260101_drop | release 3 |\n", "20260101", True),
        ("", "20260101", False),
        ("* 20260101_drop.sql\n", "20260101", False),
        ("* 20260101_drop.sql\n* 20260202_other: release 3\n", "20260101", False),
        ("## 20260101_drop\n## Older\nrelease 2\n", "20260101", False),
        ("* 20260101_drop -\n", "20260101", False),
        # A version is a number, not the beginning of one.
        ("* 202601011200_other: release 3 first\n", "20260101", False),
        ("* 12_other: release 3 first\n", "1", False),
        ("* 1_drop: release 3 first\n", "1", True),
        ("Since release 1 nobody reads it.\n", "1", False),
        # The next entry is another migration's, however short its version is.
        ("* 1_drop\n* 2_other: release 3\n", "1", False),
    ],
)
def test_an_entry(tmp_path: Path, text: str, version: str, found: bool) -> None:
    assert has_entry(write(tmp_path, "changes.md", text), version) is found


def test_without_a_file_there_is_none(tmp_path: Path) -> None:
    assert not has_entry(tmp_path / "changes.md", "1")
