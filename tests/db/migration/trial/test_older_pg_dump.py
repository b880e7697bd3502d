"""dbmate beside a pg_dump that is older than the server: what the guides say of its schema file."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pgrehearse.majors import SUPPORTED
from pgrehearse.migration.trial.dbmate import Dbmate, url
from pgrehearse.servers import Server, binaries
from support.processes import clean_environment
from support.waiting import LIMIT

TABLE = "-- migrate:up\nCREATE TABLE plan (id int PRIMARY KEY);\n\n-- migrate:down\nDROP TABLE plan;\n"
MORE = "-- migrate:up\nALTER TABLE plan ADD note text;\n\n-- migrate:down\nALTER TABLE plan DROP note;\n"
Run = Callable[[Path, str], tuple[int, str, str]]
REFUSED = "aborting because of server version mismatch"


@pytest.fixture
def ran(real: Dbmate, database: str, tmp_path: Path) -> Run:
    """dbmate with a PATH that holds one pg_dump: (exit status, what it said, its schema file)."""
    (tmp_path / "db" / "migrations").mkdir(parents=True)
    (tmp_path / "db" / "migrations" / "1_make.sql").write_text(TABLE)
    (tmp_path / "path").mkdir()

    def run(pg_dump: Path, command: str) -> tuple[int, str, str]:
        link = tmp_path / "path" / "pg_dump"
        link.unlink(missing_ok=True)
        link.symlink_to(pg_dump)
        done = subprocess.run(
            [real.program, command],
            cwd=tmp_path,
            env=clean_environment(DATABASE_URL=url(database), PATH=f"{link.parent}:/usr/bin:/bin"),
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        schema = tmp_path / "db" / "schema.sql"
        return done.returncode, done.stdout + done.stderr, schema.read_text() if schema.exists() else ""

    return run


def test_up_leaves_the_schema_file_as_it_was_and_ends_with_0(
    ran: Run, server: Server, tmp_path: Path
) -> None:
    older = next(
        (
            found
            for major in SUPPORTED
            if major < server.major and (found := binaries.program("pg_dump", major))
        ),
        None,
    )
    if older is None:
        pytest.skip(f"no pg_dump here that is older than PostgreSQL {server.version}")
    newest = binaries.client("pg_dump", server.major)
    status, _, before = ran(newest, "up")
    assert (status, "CREATE TABLE public.plan" in before) == (0, True)
    (tmp_path / "db" / "migrations" / "2_more.sql").write_text(MORE)
    status, said, stale = ran(older, "up")
    assert (status, "2_more.sql" in said, stale) == (0, True, before)
    status, said, stale = ran(older, "dump")
    assert (status != 0, REFUSED in said, stale) == (True, True, before)
    status, _, fresh = ran(newest, "dump")
    assert (status, "note text" in fresh, "note text" in before) == (0, True, False)
