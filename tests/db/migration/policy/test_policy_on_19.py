"""Statements that only PostgreSQL 19 has, under the policy. Runs where a server of 19 is."""

from __future__ import annotations

import pytest

from pgrehearse.migration.policy.all_checks import check
from pgrehearse.migration.policy.report import PolicyRequest
from pgrehearse.servers import Servers
from pgrehearse.servers.binaries import named
from pgrehearse.text.project import Project

if 19 not in named("all")[0]:
    pytest.skip("NOT RUN: no PostgreSQL 19 here", allow_module_level=True)

MIGRATION = """-- migrate:up transaction:false

REPACK {} items;

-- migrate:down transaction:false

SELECT 1;
"""


def test_one_form_of_repack_copies_while_others_wait_the_other_makes_them_wait_at_its_end(
    project: Project, servers: Servers
) -> None:
    for number, option in ((2, "(VERBOSE)"), (3, "(CONCURRENTLY)")):
        (project.migrations / f"000{number}_repack.sql").write_text(MIGRATION.format(option))
    request = PolicyRequest(frozenset({"0002_repack.sql", "0003_repack.sql"}))
    report = check(project, request, lambda: servers.get(19))
    found = [(problem.path.name[3], problem.check) for problem in report.problems if problem.path]
    assert ("2", "rewrite") in found
    assert {name for number, name in found if number == "3"} == {"lock-timeout"}
