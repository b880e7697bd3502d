"""The migrations of this repository keep the policy they are the example of."""

from __future__ import annotations

import pytest

from pgrehearse.migration.policy.all_checks import check
from pgrehearse.migration.policy.report import PolicyRequest
from pgrehearse.servers import Servers
from pgrehearse.servers.binaries import named
from pgrehearse.text.project import Project


def test_no_problem(repository: Project, servers: Servers) -> None:
    report = check(repository, PolicyRequest(), lambda: servers.get(None))
    assert [problem.text(lambda path: path.name) for problem in report.problems] == []
    assert len(report.checked) == len(list(repository.migrations.glob("*.sql")))
    assert report.empty == set(), "the seed's rows were there"


@pytest.mark.parametrize("major", named("all")[0])
def test_the_same_on_every_major(project: Project, servers: Servers, major: int) -> None:
    """One file that breaks several rules; what is measured does not depend on the server."""
    (project.migrations / "0002_change.sql").write_text(
        "-- migrate:up\n\n"
        "ALTER TABLE items ALTER COLUMN price TYPE bigint;\n"
        "ALTER TABLE accounts ALTER COLUMN email SET NOT NULL;\n"
        "CREATE INDEX ON items (price);\n"
        "UPDATE items SET note = title WHERE price > 3;\n"
    )
    report = check(project, PolicyRequest(frozenset({"0002_change.sql"})), lambda: servers.get(major))
    assert {(p.line, p.check) for p in report.problems} == {
        (1, "down"),
        (3, "rewrite"),
        (3, "breaking"),
        (3, "lock-timeout"),
        (4, "one-table"),
        (4, "breaking"),
        (4, "scan"),
        (5, "index-build"),
        (5, "comment"),
        (6, "backfill"),
    }
