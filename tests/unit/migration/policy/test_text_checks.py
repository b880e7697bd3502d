"""What the text of a file shows: rules 2, 4, 5, 9 and 12, each with its line and its exception."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.migration.policy import judged_file as policy_file
from pgrehearse.migration.policy.judged_file import Written
from pgrehearse.migration.policy.text_checks import check, in_force, timeouts
from pgrehearse.text import migration_files
from support.projects import write


def found(tmp_path: Path, up: str, down: str | None = "\nSELECT 1;") -> list[tuple[str, int]]:
    """Check and line of everything that is wrong with a migration of these parts."""
    text = f"-- migrate:up{up}\n" + ("" if down is None else f"-- migrate:down{down}\n")
    write(tmp_path, "1_x.sql", text)
    (migration,) = migration_files.load(tmp_path)
    return [(one.check, one.line) for one in check(policy_file.read(migration))]


BUILD = "CREATE INDEX CONCURRENTLY i ON t (a);"
FREE = " transaction:false\n"
DOWN = " transaction:false\nDROP INDEX CONCURRENTLY i;"


@pytest.mark.parametrize(
    ("up", "wrong"),
    [
        (f"{FREE}{BUILD}", []),
        (f"{FREE}{BUILD}\nSELECT 1;", [("one-statement", 3)]),
        (f"{FREE}{BUILD}\n-- allow: one-statement dbmate is not used here\nSELECT 1;", []),
        (f"{FREE}{BUILD}\n-- allow: one-statement\nSELECT 1;", [("one-statement", 4)]),
        (f"{FREE}SET lock_timeout = '2s';\n{BUILD}", [("one-statement", 3), ("build-timeout", 2)]),
        (f"{FREE}SET lock_timeout = 0;\n{BUILD}", [("one-statement", 3)]),
        (f"{FREE}SET LOCAL lock_timeout = '2s';\n{BUILD}", [("one-statement", 3)]),
        (f"{FREE}SELECT set_config('lock_timeout', '2s', true);\n{BUILD}", [("one-statement", 3)]),
        (
            f"{FREE}SET lock_timeout = '2s';\nSET statement_timeout = 0;\n{BUILD}",
            [("one-statement", 3), ("build-timeout", 2)],
        ),
        (
            f"{FREE}SET lock_timeout = '2s';\nSET lock_timeout = 0;\n{BUILD}",
            [("one-statement", 3)],
        ),
        (
            f"{FREE}SET lock_timeout = '2s';\nSET statement_timeout = '1min';\nRESET ALL;\n{BUILD}",
            [("one-statement", 3)],
        ),
        (f"{FREE}CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a);", [("build-retry", 2)]),
        (
            f"{FREE}-- allow: build-retry looked\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a);",
            [],
        ),
        (f'{FREE}CREATE INDEX CONCURRENTLY "if not exists" ON t (a);', []),
    ],
)
def test_concurrent_builds(tmp_path: Path, up: str, wrong: list[tuple[str, int]]) -> None:
    assert found(tmp_path, up, DOWN) == wrong


@pytest.mark.parametrize(
    ("up", "wrong"),
    [
        ("\nSET LOCAL lock_timeout = '2s';\nALTER TABLE t ADD a int;", []),
        ("\nSET lock_timeout = '2s';\nALTER TABLE t ADD a int;", [("lock-timeout", 2)]),
        ('\n/* why */ SET "lock_timeout" TO 2000;', [("lock-timeout", 2)]),
        ("\nSELECT pg_catalog.set_config('lock_timeout', '2s', false);", [("lock-timeout", 2)]),
        ("\nSELECT set_config('lock_timeout', '2s', true);", []),
        ("\nRESET lock_timeout;", []),
        ("\nSET statement_timeout = '2s';", []),
        ("\n-- allow: lock-timeout the next file wants it\nSET lock_timeout = '2s';", []),
        ("\nSELECT 'SET lock_timeout = 0';", []),
    ],
)
def test_a_timeout_that_stays(tmp_path: Path, up: str, wrong: list[tuple[str, int]]) -> None:
    assert found(tmp_path, up) == wrong


@pytest.mark.parametrize(
    ("down", "wrong"),
    [
        ("\nSELECT 1;", []),
        (None, [("down", 1)]),
        ("", [("down", 4)]),
        ("\n-- nothing to do", [("down", 4)]),
        ("\n-- not restored: the rows are gone", []),
    ],
)
def test_a_way_back(tmp_path: Path, down: str | None, wrong: list[tuple[str, int]]) -> None:
    assert found(tmp_path, "\nSELECT 1;", down) == wrong


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SET lock_timeout = '2s'", [("lock_timeout", False, 2.0)]),
        ("SET LOCAL lock_timeout TO 500", [("lock_timeout", True, 0.5)]),
        ("SET SESSION statement_timeout = '1.5 min'", [("statement_timeout", False, 90.0)]),
        ("SET lock_timeout = DEFAULT", [("lock_timeout", False, 0.0)]),
        ("SET LOCAL\nlock_timeout='2s'", [("lock_timeout", True, 2.0)]),
        ("RESET ALL", [("lock_timeout", False, 0.0), ("statement_timeout", False, 0.0)]),
        ("SET work_mem = '2s'", []),
        ("SELECT 1", []),
    ],
)
def test_timeouts(sql: str, said: list[tuple[str, bool, float]]) -> None:
    assert [tuple(one) for one in timeouts(sql)] == said


@pytest.mark.parametrize(
    ("before", "transaction", "seconds"),
    [
        ("SET LOCAL lock_timeout = '2s'", True, 2),
        ("SET LOCAL lock_timeout = '2s'", False, None),
        ("SET lock_timeout = '2s'", False, 2),
        ("SET lock_timeout = '9s'; BEGIN; SET LOCAL lock_timeout = '2s'", False, 2),
        ("SET lock_timeout = '9s'; BEGIN; SET LOCAL lock_timeout = '2s'; COMMIT", False, 9),
        ("BEGIN; SET LOCAL lock_timeout = '2s'; COMMIT; BEGIN", False, None),
        ("SET lock_timeout = '2s'; BEGIN; SET LOCAL lock_timeout = 0", False, None),
        ("SET LOCAL lock_timeout = '2s'; SET lock_timeout = 0", True, None),
        ("SET lock_timeout = '2s'; RESET ALL", False, None),
    ],
)
def test_which_timeout_holds(before: str, transaction: bool, seconds: float | None) -> None:
    written = [Written(sql.strip(), n, n) for n, sql in enumerate([*before.split(";"), "SELECT 1"], 1)]
    limit = in_force(written, transaction)[written[-1]].get("lock_timeout")
    assert (limit.seconds if limit else None) == seconds
