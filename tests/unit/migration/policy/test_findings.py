"""What the policy says of a file: which rule, what was measured, and exactly who waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.measurement.advice import POLICY
from pgrehearse.measurement.statement.facts import Facts
from pgrehearse.measurement.xray_rows import Row
from pgrehearse.measurement.xray_steps import FileStatement
from pgrehearse.migration.policy import cost_checks
from pgrehearse.migration.policy.judged_file import files
from pgrehearse.migration.policy.register import CHECKS, broken
from pgrehearse.text import migration_files

SQL = "ALTER TABLE items ADD note text"


def test_a_finding_names_its_rule_and_the_page() -> None:
    found = broken("scan", Path("a.sql"), 3, "reads items whole", "NOT VALID first", SQL, "SHARE on items")
    assert found.text() == (
        "a.sql:3: rule 8 (scan): reads items whole\n"
        f"  statement: {SQL}\n"
        "  measured: SHARE on items\n"
        "  next: NOT VALID first\n"
        f"  see: {POLICY}, rule 8"
    )
    assert (found.rule, found.kind) == ("policy/scan", "policy")
    elsewhere = broken("scan", Path("a.sql"), 3, "m", "n", page="runbooks/index-create")
    assert elsewhere.text().endswith("\n  see: runbooks/index-create")


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_says_its_number(check: str) -> None:
    assert (
        broken(check, Path("a.sql"), 0, "m", "n").head() == f"a.sql: rule {CHECKS[check].rule} ({check}): m"
    )


@pytest.mark.parametrize(
    ("waits", "said"),
    [
        ((("users", ("DELETE",)),), "DELETE on users"),
        ((("items", ("SELECT", "INSERT", "UPDATE", "DELETE")),), "readers and writers of items"),
        (
            (("items", ("INSERT", "UPDATE", "DELETE")), ("users", ("DELETE", "UPDATE"))),
            "writers of items and UPDATE and DELETE on users",
        ),
    ],
)
def test_only_those_who_wait_are_said_to_wait(
    tmp_path: Path, waits: tuple[tuple[str, tuple[str, ...]], ...], said: str
) -> None:
    """Of the parent of a foreign key often only DELETE waits: its writers do not."""
    (tmp_path / "1_a.sql").write_text(f"-- migrate:up\n{SQL};\n-- migrate:down\n")
    (file,) = files(migration_files.load(tmp_path))
    row = Row(FileStatement(2, SQL, 1), Facts(locks={"items": "ACCESS EXCLUSIVE"}), waits=waits)
    tables = frozenset({"items", "users"})
    (found,) = cost_checks.check(file, cost_checks.MeasuredStatement([row], tables, tables, "18.6"))
    assert found.check == "lock-timeout"
    assert found.message == f"makes {said} wait, with no lock_timeout of at most 10 s before it"
    assert found.detail == f"ACCESS EXCLUSIVE on items; {said} wait (PostgreSQL 18.6)"
