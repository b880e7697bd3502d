"""Whom a runbook meets besides readers and writers is said where it matters, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.site.parts.bystanders import beside
from pgrehearse.site.parts.step_summary import StepSummary
from pgrehearse.text.document import parse


def said(*locks: str, step: str = "ALTER TABLE t ADD c int;", more: str = "") -> list[str]:
    parameters = f"parameters:\n  t: {{description: T, example: t}}\n{more}"
    page = f"---\n{parameters}---\n\n## Apply\n\n```sql\n{step}\n```\n"
    rows = [StepSummary((), "", "", "", hardest=lock) for lock in locks]
    return [who for who, _ in beside(parse(page, Path("sample.md")), rows)]


@pytest.mark.parametrize(
    ("lock", "who"),
    [
        ("ACCESS EXCLUSIVE on the table", ["Standbys", "Autovacuum"]),
        ("15–17: ACCESS EXCLUSIVE on the table; 18: SHARE on the table", ["Standbys", "Autovacuum"]),
        ("SHARE UPDATE EXCLUSIVE on the table", ["Autovacuum"]),
        ("EXCLUSIVE on the table", ["Autovacuum"]),
        ("ROW EXCLUSIVE on the table", []),
        ("", []),
    ],
)
def test_it_goes_by_the_strongest_lock(lock: str, who: list[str]) -> None:
    assert said(lock) == who
    assert said("", lock) == who


@pytest.mark.parametrize("step", ["SET lock_timeout = 0;", "CREATE TEMPORARY TABLE p (n int);", "SELECT 1;"])
def test_poolers_matter_to_what_stays_in_a_session(step: str) -> None:
    assert said(step=step) == (["Poolers"] if step != "SELECT 1;" else [])


def test_subscribers_matter_where_the_runbook_asks_for_them() -> None:
    assert said(more="  subscribers: {description: ready or no, example: 'no'}\n") == ["Subscribers"]
