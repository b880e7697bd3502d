"""What a measured statement is to others."""

from __future__ import annotations

import pytest

from pgrehearse.measurement.xray_rows import Row
from pgrehearse.measurement.xray_steps import FileStatement


@pytest.mark.parametrize(
    ("sql", "in_turn"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (a)", True),
        ("REINDEX (CONCURRENTLY) INDEX i", True),
        ("REPACK (VERBOSE, CONCURRENTLY) t", True),
        ("ALTER TABLE p DETACH PARTITION c CONCURRENTLY", True),
        ("REPACK (CONCURRENTLY off) t", False),
        ("REPACK t", False),
        ("VACUUM FULL t", False),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", False),
    ],
)
def test_works_in_several_transactions(sql: str, in_turn: bool) -> None:
    """A refresh says CONCURRENTLY too, and keeps its lock through one transaction."""
    assert Row(FileStatement(1, sql, 0)).in_turn is in_turn
