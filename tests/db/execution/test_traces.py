"""Which bash cells are seen to change nothing on the server."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.execution.executor import Executor
from pgrehearse.servers import Server
from pgrehearse.text.document import parse
from support.databases import execute, name_of
from support.projects import fence

#: A backend of the cell is at work still when it ends.
AT_WORK = """
psql -Xqc 'SELECT pg_sleep(60)' &
asleep="SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
until [ "$(psql -XAtc "$asleep")" = 1 ]; do sleep 0.01; done
"""


@pytest.mark.parametrize(
    ("source", "quiet"),
    [
        ("echo 1 >file", True),
        ("psql -Xc 'SELECT count(*) FROM items'", True),
        ("psql -Xqc 'INSERT INTO items VALUES (1)'", False),
        ("psql -Xqc 'BEGIN; INSERT INTO items VALUES (1); ROLLBACK'", False),
        ("psql -Xqc \"SELECT nextval('s')\"", False),
        ("psql -Xqc 'VACUUM items'", False),
        ("echo 'VACUUM items' >file; psql -Xqf file", False),
        ("createdb ${PGDATABASE}_b && dropdb ${PGDATABASE}_b", False),
        ("psql -Xqc 'CREATE ROLE traced' -c 'DROP ROLE traced'", False),
        ("psql -Xqc 'ALTER SYSTEM RESET work_mem'", False),
        ("psql -Xqc \"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle'"
         " AND application_name = 'pgrehearse main'\"", False),
        (AT_WORK, False),
    ],
)  # fmt: skip
def test_quiet(server: Server, database: str, source: str, quiet: bool) -> None:
    execute(database, "CREATE TABLE items (id int); CREATE SEQUENCE s")
    execute(database, "SELECT nextval('s')")  # the next ones are in the WAL already
    environment, path = server.env(name_of(database)), Path("x.md")
    document = parse("---\nbash: true\n---\n" + fence(source, language="bash"), path)
    with Executor(database, environment=environment, path=path, major=server.major) as executor:
        executor.session("main")
        [result] = executor.run(document.cells[0])
    assert result.failure is None
    assert result.quiet is quiet
