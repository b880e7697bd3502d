"""``db lint`` on folders of other tools: measured, with the user's own file in each finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.migration.policy.all_checks import check
from pgrehearse.migration.policy.report import PolicyRequest
from pgrehearse.servers import Server
from support.projects import project_at

BASE = "BEGIN;\nCREATE TABLE crate (id int PRIMARY KEY, n int);\nCOMMIT;\n"
REWRITES = "SET LOCAL lock_timeout = '2s';\nALTER TABLE crate ALTER n TYPE bigint;\n"
BEGIN = "BEGIN;\nSET LOCAL lock_timeout = '2s';\n"
LAYOUTS = {
    "golang-migrate": ("2_b.up.sql", {"1_a.up.sql": BASE, "1_a.down.sql": "DROP TABLE crate;\n"}),
    "prisma": ("2_b/migration.sql", {"1_a/migration.sql": BASE}),
    "flyway": ("V2__b.sql", {"V1__a.sql": BASE, "R__again.sql": "SELECT no_such_function();\n"}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_rewrite_is_found(server: Server, tmp_path: Path, layout: str) -> None:
    name, earlier = LAYOUTS[layout]
    files = {f"db/migrations/{one}": text for one, text in {**earlier, name: REWRITES}.items()}
    report = check(project_at(tmp_path, files), PolicyRequest(frozenset({name}), rows=50), lambda: server)
    assert report.checked == [name]
    (found,) = [one for one in report.problems if one.check == "rewrite"]
    assert (found.path, found.line) == (tmp_path / "db" / "migrations" / name, 2)
    assert not [one for one in report.problems if one.check in ("runnable", "judged", "down")]
    unjudged = [note for note in report.notes if note.startswith("not judged")]
    assert [("R__again.sql" in note) for note in unjudged] == [True] * (layout == "flyway")


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (
            f"{BEGIN}ALTER TABLE crate VALIDATE CONSTRAINT positive;\nCOMMIT;\n",
            [],
        ),
        (
            f"{BEGIN}ALTER TABLE crate ALTER n TYPE bigint;\nCOMMIT;\n",
            ["rewrite"],
        ),
    ],
)
def test_transactions_one_after_the_other(
    server: Server, tmp_path: Path, last: str, expected: list[str]
) -> None:
    first = f"{BEGIN}ALTER TABLE crate ADD CONSTRAINT positive CHECK (n > 0) NOT VALID;\nCOMMIT;\n"
    files = {"db/migrations/1_a.up.sql": BASE, "db/migrations/2_b.up.sql": first + last}
    report = check(
        project_at(tmp_path, files), PolicyRequest(frozenset({"2_b.up.sql"}), rows=50), lambda: server
    )
    told = ("rewrite", "scan", "runnable", "judged", "one-statement", "lock-timeout")
    assert [one.check for one in report.problems if one.check in told] == expected
