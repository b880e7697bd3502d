"""The drift that a comparison found, as findings."""

from __future__ import annotations

from pathlib import Path

from pgrehearse.migration.drift.comparisons import NEXT, Compared
from pgrehearse.schema.compare import Difference, Differences

FILE = Path("db/schema.sql")
A = Difference("table a", "column x", "CREATE TABLE a (x int)", "column x: missing in right")
B = Difference("table b", "table b", "CREATE TABLE b ()", "it: missing in left")


def test_one_for_each_statement_object_by_object() -> None:
    other = Difference("table a", "column y", "CREATE TABLE a (y int)", "column y: missing in left")
    found = Compared("schema", FILE, ("left", "right"), Differences((A,), (B, other))).findings
    assert [(one.about, one.message, one.statement) for one in found] == [
        ("table a", f"only in left: {A.why}", A.sql),
        ("table a", f"only in right: {other.why}", other.sql),
        ("table b", f"only in right: {B.why}", B.sql),
    ]
    assert {(one.rule, one.path, one.next_step) for one in found} == {("drift/schema", FILE, NEXT["schema"])}


def test_none_without_drift() -> None:
    assert Compared("live", FILE, ("left", "right"), Differences()).findings == []
