"""The list of changes: an entry names the migration, and says something about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.migration.policy import judged_file as policy_file
from pgrehearse.migration.policy.breaking import check, has_entry
from pgrehearse.migration.policy.interface import Interface, Thing
from pgrehearse.migration.policy.judged_file import Written
from pgrehearse.text import migration_files
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


# --- the statement that breaks something ------------------------------------------------------------------

TABLE: Interface = {("relation", "t", ""): Thing("1", {})}
COLUMN = {("column", "t", "a"): Thing("2", {"type": "integer", "not_null": False, "default": False})}
UP = "-- migrate:up\nSELECT 1;\nSELECT 2;\nSELECT 3;\n-- migrate:down\nSELECT 0;\n"


def broken(tmp_path: Path, text: str, *interfaces: Interface, changes: str = "") -> list[tuple[int, str]]:
    """Line and statement of what is found, the interface before and after each statement given."""
    write(tmp_path, "db/1_x.sql", text)
    (migration,) = migration_files.load(tmp_path / "db")
    file = policy_file.read(migration)
    states: list[tuple[Written | None, Interface]] = [(None, interfaces[0])]
    states += zip(file.up, interfaces[1:], strict=True)
    place = write(tmp_path, "changes.md", changes)
    return [(one.line, one.statement) for one in check(file, states, place, "changes.md")]


def test_it_is_the_statement_from_which_on_the_thing_is_gone(tmp_path: Path) -> None:
    full = TABLE | COLUMN
    assert broken(tmp_path, UP, full, full, TABLE, TABLE) == [(3, "SELECT 2")]
    assert broken(tmp_path, UP, full, TABLE, full, TABLE) == [(4, "SELECT 3")], "it came back in between"
    assert broken(tmp_path, UP, full, TABLE, TABLE, full) == [], "what comes back breaks nothing"
    assert broken(tmp_path, UP, full, full, full, full) == []


def test_a_declaration_needs_an_entry_in_the_list_of_changes(tmp_path: Path) -> None:
    declared = UP.replace("SELECT 2;", "-- breaking: readers of a; release 3 first\nSELECT 2;")
    full = TABLE | COLUMN
    assert broken(tmp_path, declared, full, full, TABLE, TABLE) == [(3, "")]
    assert broken(tmp_path, declared, full, full, TABLE, TABLE, changes="* 1_x: release 3 first\n") == []


def test_a_declaration_that_names_nobody_is_none(tmp_path: Path) -> None:
    declared = UP.replace("SELECT 2;", "-- breaking:\nSELECT 2;")
    full = TABLE | COLUMN
    assert broken(tmp_path, declared, full, full, TABLE, TABLE) == [(4, "SELECT 2")]
