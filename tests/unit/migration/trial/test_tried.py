"""What came of a try of the migrations, and what is wrong with one that failed."""

from __future__ import annotations

from pathlib import Path

from pgrehearse.errors import ExpectationError
from pgrehearse.findings import Finding
from pgrehearse.migration.trial.tried import FAILED, NOT_RUN, OK, Tried, failed, from_error


def test_problems_share_place_and_next_step() -> None:
    step = failed("1_a", ["one", "two"], "mend it", Path("1_a.sql"), 3)
    assert (step.status, step.next_step, step.good) == (FAILED, "mend it", False)
    assert [finding.text() for finding in step.findings] == [
        "1_a.sql:3: one\n  next: mend it",
        "1_a.sql:3: two\n  next: mend it",
    ]


def test_an_error_of_several_loses_none() -> None:
    listed = [Finding(said, Path(f"{said}.sql"), kind="ledger", next_step="n") for said in ("a", "b")]
    step = from_error("upgrade", ExpectationError.of(listed))
    assert (step.status, [f.head() for f in step.findings]) == (FAILED, ["a.sql: a", "b.sql: b"])
    one = from_error("seed", ExpectationError("failed", path="seed.sql", line=2, next_step="mend"))
    assert [finding.text() for finding in one.findings] == ["seed.sql:2: failed\n  next: mend"]


def test_what_was_asked_for_and_not_run_is_not_good() -> None:
    assert Tried("up", OK).good
    assert not Tried("up", NOT_RUN).good
    assert Tried("up", NOT_RUN, wanted=False).good
