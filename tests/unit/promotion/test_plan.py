"""A plan is exactly its files and its databases: whatever differs has another hash, or is refused."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from pgrehearse.environments.marks import Mark
from pgrehearse.environments.target import Target
from pgrehearse.errors import ExpectationError, SetupError
from pgrehearse.migration.runner.versions import VersionState
from pgrehearse.promotion.plan import Member, Plan, files_of, pending, plan_hash
from pgrehearse.promotion.store import StepRecord
from pgrehearse.text import migration_files
from pgrehearse.text.migration_files import Migration
from support.projects import project_at

PART = "-- migrate:up\nSELECT {};\n\n-- migrate:down\nSELECT 1;\n"


@pytest.fixture
def migrations(tmp_path: Path) -> list[Migration]:
    files = {f"db/migrations/{n}_step_{n}.sql": PART.format(n) for n in (1, 2, 3)}
    return migration_files.load(project_at(tmp_path, files).migrations)


def member(name: str, migrations: list[Migration], *states: str, adopted: bool = False) -> Member:
    target = Target("", "test", Mark(name, "test", None), 18, "18.6", name, "1", "app", "here")
    found = (
        VersionState(one.version, how, one, adopted=adopted)
        for one, how in zip(migrations, states, strict=True)
    )
    return Member(name, target, tuple(found))


def step(migration: Migration, target: int = 1) -> StepRecord:
    name = migration.path.stem
    return StepRecord(target, 1, "shop", migration.version, name, migration.sha256, None, None, None, None)


def test_what_any_database_lacks_is_pending_once_and_in_order(migrations: list[Migration]) -> None:
    first = member("one", migrations, "applied", "pending", "pending")
    second = member("two", migrations, "pending", "applied", "pending")
    plan = pending("test", [first, second])
    assert [one.version for one in plan.migrations] == ["1", "2", "3"]
    assert plan.databases == ("one", "two")
    assert [item["name"] for item in plan.items] == ["1_step_1", "2_step_2", "3_step_3"]
    with pytest.raises(SetupError, match="nothing is pending in test"):
        pending("test", [member("one", migrations, "applied", "applied", "late")])


def test_a_database_has_what_is_applied_as_the_file_stands(migrations: list[Migration]) -> None:
    one = member("one", migrations, "applied", "edited", "pending")
    assert [one.has(migration) for migration in migrations] == [True, False, False]
    assert not member("one", migrations, "applied", "edited", "pending", adopted=True).has(migrations[0])


def test_each_difference_of_a_plan_is_another_hash(migrations: list[Migration]) -> None:
    first, second, third = migrations
    plans = [
        ("test", ("a", "b"), (first, second)),
        ("prod", ("a", "b"), (first, second)),
        ("test", ("b", "a"), (first, second)),
        ("test", ("a",), (first, second)),
        ("test", ("ab",), (first, second)),
        ("test", ("a", "b"), (second, first)),
        ("test", ("a", "b"), (first,)),
        ("test", ("a", "b"), (first, replace(second, sha256=third.sha256))),
        ("test", ("a", "b"), (first, replace(second, version="20"))),
        ("test", ("a", "b"), (first, replace(second, path=second.path.with_name("2_other.sql")))),
        ("test", (), ()),
    ]
    hashes = [plan_hash(*plan) for plan in plans]
    assert all(one != other for one, other in combinations(hashes, 2))
    plan = Plan("test", (first, second), (), ("a", "b"))
    assert plan.hash == hashes[0]
    moved = replace(second, path=Path("elsewhere") / second.path.name)
    assert Plan("test", (first, moved), (), ("a", "b")).hash == hashes[0], "where a folder lies is no matter"


def test_what_was_requested_is_what_the_files_are_or_refused(migrations: list[Migration]) -> None:
    first, second, _ = migrations
    asked = [step(first), step(second), step(first, target=2), step(second, target=2)]
    assert files_of(asked, migrations) == (first, second)
    assert files_of([], migrations) == ()
    edited = replace(second, sha256="0" * 64)
    renamed = replace(first, path=first.path.with_name("1_other.sql"))
    with pytest.raises(ExpectationError) as error:
        files_of(asked, [renamed, edited])
    said = [finding.message for finding in error.value.findings]
    assert len(said) == 2 and "called otherwise" in said[0] and "edited after" in said[1]
    with pytest.raises(ExpectationError, match="its file is gone"):
        files_of(asked, [first])
