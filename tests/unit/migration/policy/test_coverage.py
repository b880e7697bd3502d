"""What a report says of statements that were not measured."""

from __future__ import annotations

from pgrehearse.migration.policy.coverage import Coverage


def test_all() -> None:
    assert Coverage(total=1, measured=1).said() == "1 of 1 statement"


def test_what_is_left_out_is_counted_with_its_reason_and_its_place_where_there_is_one() -> None:
    coverage = Coverage(total=9, measured=2)
    coverage.leave("0001_a.sql", "they wait", 3)
    coverage.leave("0002_a.sql", "they wait", 3)
    coverage.leave("0003_a.sql:7", "far away", 1)
    coverage.leave("0004_a.sql", "no reason", 0)
    assert (
        coverage.said() == "2 of 9 statements (6 left out: they wait; 1 left out at 0003_a.sql:7: far away)"
    )
    assert coverage.to_json()["left"] == {
        "they wait": ["0001_a.sql", "0002_a.sql"],
        "far away": ["0003_a.sql:7"],
    }
