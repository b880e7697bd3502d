"""Files against the ledger: what is applied, pending, or wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.errors import ExpectationError, SetupError
from pgrehearse.migration.runner.ledger_rows import Applied, KnownLedger
from pgrehearse.migration.runner.versions import VersionState, check, choose, compare, in_public
from pgrehearse.text.migration_files import Migration, Section

VERSIONS = st.sets(st.from_regex(r"[0-9]{1,3}", fullmatch=True), max_size=6)


def migration(version: str, sha256: str = "same") -> Migration:
    return Migration(Path(f"{version}_x.sql"), version, "x", Section("", 1), None, sha256)


def states(files: str, applied: dict[str, str | None]) -> dict[str, str]:
    ledger = {version: Applied(version, digest) for version, digest in applied.items()}
    return {
        state.version: state.state
        for state in compare([migration(v) for v in files.split()], KnownLedger(ledger))
    }


def test_each_state() -> None:
    assert states("", {}) == {}
    assert states("1 2", {}) == {"1": "pending", "2": "pending"}
    assert states("1 2 3", {"1": "same", "2": "same"}) == {"1": "applied", "2": "applied", "3": "pending"}
    assert states("1", {"1": "other"}) == {"1": "edited"}
    assert states("2", {"1": "same", "2": "same"}) == {"1": "missing", "2": "applied"}
    assert states("1 2", {"2": "same"}) == {"1": "late", "2": "applied"}
    assert states("1", {"1": None}) == {"1": "applied"}, "adopted: its hash is not known yet"


def test_versions_are_ordered_as_dbmate_orders_them() -> None:
    """As texts: what came first stays first, whatever the number of digits."""
    assert states("10 9", {"9": "same"}) == {"10": "late", "9": "applied"}


@given(VERSIONS, VERSIONS)
def test_every_version_has_one_state_and_order(files: set[str], applied: set[str]) -> None:
    ledger = {version: Applied(version, "same") for version in applied}
    found = compare([migration(version) for version in files], KnownLedger(ledger))
    assert [state.version for state in found] == sorted(files | applied)
    for state in found:
        assert (state.migration is not None) == (state.version in files)
        assert (state.state in ("pending", "late")) == (state.version not in applied)
        assert (state.finding is not None) == (state.state in ("edited", "missing", "late"))


@given(VERSIONS, st.sets(st.integers(0, 5), max_size=3))
def test_what_is_chosen_is_pending_and_up_to_the_version(files: set[str], done: set[int]) -> None:
    ordered = sorted(files)
    ledger = {ordered[n]: Applied(ordered[n], "same") for n in done if n < len(ordered)}
    found = compare([migration(version) for version in files], KnownLedger(ledger))
    everything = [one.version for one in choose(found, None)]
    assert everything == [state.version for state in found if state.state == "pending"]
    for version in ordered:
        assert [one.version for one in choose(found, version)] == [v for v in everything if v <= version]


def test_an_unknown_version_is_no_version_to_go_to() -> None:
    with pytest.raises(SetupError, match="no migration has the version 7"):
        choose(compare([migration("1")], KnownLedger()), "7")


def test_check_names_everything_that_must_not_be() -> None:
    check([VersionState("1", "applied", migration("1")), VersionState("2", "pending", migration("2"))])
    with pytest.raises(ExpectationError) as caught:
        check(
            [
                VersionState("1", "edited", migration("1")),
                VersionState("2", "missing", None),
                VersionState("3", "late", migration("3")),
            ]
        )
    said = str(caught.value)
    for part in ("1_x was edited", "2 is applied, but its file is gone", "3_x is older", "rename the file"):
        assert part in said


def test_a_table_of_another_schema_is_told_with_a_name_that_can_be_pasted() -> None:
    in_public({"other": {"9"}}, [migration("1")])
    in_public({}, [migration("1")])
    with pytest.raises(SetupError) as caught:
        in_public({'My "own"': {"1", "9"}}, [migration("1")])
    assert 'ALTER TABLE "My ""own"""."schema_migrations" SET SCHEMA public' in str(caught.value)
