"""What statements may cost: the nearest word counts, and a file that cannot be meant is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.errors import SetupError
from pgrehearse.migration.runner.ledger_rows import Cost
from pgrehearse.migration.timing.budgets import Allowance, Budgets, exceeded, load
from pgrehearse.migration.timing.costs import Timing
from pgrehearse.text import migration_files
from pgrehearse.text.migration_files import Migration
from support.projects import write


def migrations(root: Path, *versions: int) -> list[Migration]:
    for version in versions:
        write(root, f"db/migrations/{version}_step.sql", "-- migrate:up\nSELECT 1;\n")
    return migration_files.load(root / "db" / "migrations")


def _timing(version: str, *costs: Cost) -> Timing:
    return Timing(version, "step", None, "me", 1, costs)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("milliseconds = 100\n", ["1_step.sql:9: ALTER TABLE x: rewrites x, undeclared", "budget 100 ms"]),
        ("[1_step]\nrewrites = ['x']\nreason = 'announced'\n", []),
        ("[1_step.statement.1]\nrewrites = ['x']\nreason = 'announced'\n", []),
        ("[1_step.statement.2]\nrewrites = ['x']\nreason = 'r'\n", ["rewrites x, undeclared", "does not"]),
        ("milliseconds = 100\n[1_step]\nmilliseconds = 200\nrewrites = ['x']\nreason = 'r'\n", []),
        ("[1_step]\nrewrites = ['x', 'y']\nreason = 'r'\n", ["rewrites y by its budget, and does not"]),
    ],
)
def test_a_budget_is_kept_or_the_statement_is_named(tmp_path: Path, text: str, said: list[str]) -> None:
    files = migrations(tmp_path, 1)
    file = tmp_path / "budgets.toml"
    file.write_text(text, "utf-8")
    costs = (
        Cost(1, 9, "ALTER TABLE x", "done", 150.0, rewritten=("x",)),
        Cost(2, 10, "SELECT 1", "done", 1.0),
    )
    found = exceeded(load(file, files), [_timing("1", *costs)], files, {"1"})
    assert len(found) == len(said)
    assert all(part in one.text(lambda path: path.name) for part, one in zip(said, found, strict=True))
    assert exceeded(load(file, files), [_timing("1", *costs)], files, set()) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = ", "not TOML"),
        ("milliseconds = 'much'\n", "milliseconds is no number above 0"),
        ("[2_gone]\nmilliseconds = 1\nreason = 'r'\n", "no migration is called 2_gone"),
        ("[1_step]\nmilliseconds = 1\n", "1_step: gives no reason"),
        ("[1_step]\nmilisecs = 1\nreason = 'r'\n", "1_step: knows only milliseconds, reason, rewrites"),
        ("[1_step]\nrewrites = 'thing'\nreason = 'r'\n", "rewrites is no list of tables"),
        ("[1_step.statement.last]\nreason = 'r'\n", "is no number of a statement"),
        ("[1_step]\nstatement = 3\n", "1_step.statement: is no table of statements"),
        ("[1_step.statement]\n1 = 3\n", "1_step.statement.1: knows only"),
        ("[1_step.statement.0]\nmilliseconds = 1\nreason = 'r'\n", "is no number of a statement"),
        ("milliseconds = nan\n", "milliseconds is no number above 0"),
        ("milliseconds = inf\n", "milliseconds is no number above 0"),
        ("milliseconds = 1e300\n", "milliseconds is no number above 0"),
        ("milliseconds = 0\n", "milliseconds is no number above 0"),
        ("milliseconds = true\n", "milliseconds is no number above 0"),
        ("[1_step]\nrewrites = [1]\nreason = 'r'\n", "rewrites is no list of tables"),
        ("[1_step]\nmilliseconds = 1\nreason = ' '\n", "1_step: gives no reason"),
        ("rows = 3\n", "no migration is called rows"),
    ],
)
def test_a_budget_file_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, said: str) -> None:
    files = migrations(tmp_path, 1)
    file = tmp_path / "budgets.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(SetupError) as error:
        load(file, files)
    assert said in error.value.message and error.value.path == file


def test_no_file_limits_no_time_and_allows_no_rewrite(tmp_path: Path) -> None:
    files = migrations(tmp_path, 1)
    costs = (Cost(1, 3, "ALTER TABLE x", "done", 1e9, rewritten=("x",)), Cost(2, 4, "SELECT 1", "done", None))
    (one,) = exceeded(load(tmp_path / "none.toml", files), [_timing("1", *costs)], files, {"1"})
    assert one.message == "rewrites x, undeclared"


LIMITS = st.none() | st.floats(0.001, 1e9)
ALLOWANCES = st.builds(Allowance, LIMITS, st.frozensets(st.sampled_from(["a", 'public."b c"', "é"])))


WHERE = st.tuples(st.sampled_from("mn"), st.none() | st.integers(1, 3))


@given(ALLOWANCES, st.dictionaries(WHERE, ALLOWANCES))
def test_the_nearest_word_counts(default: Allowance, given: dict[tuple[str, int | None], Allowance]) -> None:
    found = Budgets(default, given).of("m", 2)
    said = [given.get(("m", 2)), given.get(("m", None)), default]
    limits = [allowance.milliseconds for allowance in said if allowance]
    assert found.milliseconds == next((limit for limit in limits if limit is not None), None)
    assert found.rewrites == frozenset().union(*(s.rewrites for s in said if s))


def test_what_exceeds_a_budget_by_little_reads_as_more(tmp_path: Path) -> None:
    files = migrations(tmp_path, 1)
    (one,) = exceeded(
        Budgets(Allowance(100.0)), [_timing("1", Cost(1, 3, "SELECT 1", "done", 100.3))], files, {"1"}
    )
    assert one.message == "100.300 ms, budget 100 ms"
