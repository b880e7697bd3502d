"""How far a statement is, in one line that a narrow terminal may cut."""

from __future__ import annotations

import pytest

from pgrehearse.command.run_terminal import _TAGS, said
from pgrehearse.execution.runbook.watch import Blocker, Progress


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (
            Progress("building index: scanning table", "blocks", 250, 1000, 50.0),
            "25 % (250 of 1,000 blocks), 15 s left, 50/s: building index: scanning table",
        ),
        (
            Progress("", "", 1_200_000, 5_000_000, 1000.0),
            "24 % (1,200,000 of 5,000,000), 63 min left, 1,000/s",
        ),
        (Progress("", "", 5, 1_000_000, 10.0), "0 % (5 of 1,000,000), 27.8 h left, 10/s"),
        (Progress("waiting for old snapshots", "transactions", 0, None), "waiting for old snapshots"),
        (Progress("PIPE", "rows", 77, None), "77 rows: PIPE"),
        (Progress("x", "rows", 12, 10, 5.0), "100 % (12 of 10 rows), 0 s left, 5/s: x"),
    ],
)
def test_what_counts_most_stands_first(progress: Progress, line: str) -> None:
    assert said(progress) == line


@pytest.mark.parametrize(
    ("blocker", "line"),
    [
        (
            Blocker(7, "shop", "billing", True, "idle in transaction", 61.2, "SELECT 1"),
            "pid 7, shop, billing: idle in transaction, its transaction 61 s old: SELECT 1",
        ),
        (Blocker(7, "shop", "", False), "pid 7, shop: this role may not see since when, or what it does"),
        (Blocker(7, "", "", True, "active", None, "x"), "pid 7, no role: active: x"),
        (Blocker(0, "", "", True), "a prepared transaction, see pg_prepared_xacts"),
    ],
)
def test_a_blocker_in_one_line(blocker: Blocker, line: str) -> None:
    assert blocker.said == line


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("CREATE TABLE\nINSERT 0 50\n", True),
        ("DROP TABLE", True),
        ("", True),
        ("CREATE FUNCTION\nDROP TABLE\nCREATE TABLE\nINSERT 0 0\nERROR:  syntax error", False),
        ("A" * 10_000 + ":", False),
        ("A B " * 5_000 + ":", False),
        ("DROP TABLE\n" * 5_000 + " a\n", False),
    ],
)
def test_tags_of_commands_are_told_from_the_rest_at_once(text: str, tags: bool) -> None:
    """A refused check with tags above its error kept ``run`` busy without end."""
    assert (_TAGS.fullmatch(text) is not None) is tags
