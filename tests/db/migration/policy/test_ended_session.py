"""What ends the session in which a migration is measured is said of that migration."""

from __future__ import annotations

import pytest

from pgrehearse.text.project import Project
from support.processes import PGREHEARSE, call, clean_environment

PART = "-- migrate:up{}\nSELECT 1;\n{};\n\n-- migrate:down\nSELECT 1;\n"
ENDS = (
    "SELECT pg_terminate_backend(pg_backend_pid())",
    "DO $$ BEGIN PERFORM pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database(); END $$",
)


@pytest.mark.parametrize("transaction", ["", " transaction:false"])
@pytest.mark.parametrize("sql", ENDS)
def test_a_migration_that_ends_its_session_is_named(project: Project, sql: str, transaction: str) -> None:
    (project.migrations / "0002_change.sql").write_text(PART.format(transaction, sql), "utf-8")
    command = (*PGREHEARSE, "db", "lint", "db/migrations/0002_change.sql")
    ended = call(command, project.root, clean_environment())
    assert ended.status in (1, 69), ended.said
    assert "0002_change.sql" in ended.said
    assert "0 problems" not in ended.said
