"""A fresh database per document, from a template built once; nothing half-built is ever used."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgrehearse.environments.target import open_target
from pgrehearse.errors import DocumentError, SetupError
from pgrehearse.execution.databases import Databases
from pgrehearse.servers import Server
from pgrehearse.servers.url import UrlServer
from pgrehearse.text.front_matter import Database
from support.databases import execute, fresh, mark, names
from support.projects import project_at, write
from support.waiting import LIMIT

SMALL = Database(rows=3)


@pytest.fixture
def databases(server: Server, tmp_path: Path) -> Iterator[Databases]:
    write(
        tmp_path,
        "db/migrations/1_a.sql",
        "-- migrate:up\nCREATE TABLE a (n int);\n-- migrate:down\nDROP TABLE a;",
    )
    index = "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY ON a (n);"
    write(tmp_path, "db/migrations/2_b.sql", index)
    write(tmp_path, "db/seed.sql", "INSERT INTO a SELECT * FROM generate_series(1, :'rows'::int);")
    before = names(server)
    made = Databases(server, project_at(tmp_path))
    yield made
    made.close()
    assert names(server) == before


def test_clones_are_independent_marked_and_named(server: Server, databases: Databases) -> None:
    first = databases.fresh(SMALL, "A page: one")
    execute(server.dsn(first), "DROP TABLE a")
    second = databases.fresh(SMALL, "two")
    assert execute(server.dsn(second), "SELECT count(*) FROM a") == [(3,)]
    assert execute(server.dsn(second), "SELECT current_setting('pgrehearse.environment')") == [
        ("disposable",)
    ]
    assert first.endswith("_a_page_one")
    assert (
        len({name for name in names(server) if "template_" in name and name in databases.maker._names}) == 1
    )


def test_other_sizes_and_none(server: Server, databases: Databases) -> None:
    assert execute(server.dsn(databases.fresh(Database(rows=5), "x")), "SELECT count(*) FROM a") == [(5,)]
    empty = databases.fresh(Database(empty=True, rows=0), "x")
    assert execute(server.dsn(empty), "SELECT count(*) FROM pg_class WHERE relname = 'a'") == [(0,)]


def test_the_prepared_one_is_taken_when_it_fits(server: Server, databases: Databases) -> None:
    databases.prepare(SMALL)
    databases.prepare(SMALL)
    taken = databases.fresh(SMALL, "taken")
    assert execute(server.dsn(taken), "SELECT current_setting('pgrehearse.environment')") == [("disposable",)]
    databases.prepare(SMALL)
    other = databases.fresh(Database(rows=1), "other")
    assert execute(server.dsn(other), "SELECT count(*) FROM a") == [(1,)]
    assert not any(name.endswith("_next") for name in names(server) if name in databases.maker._names)


def test_kept_and_dropped(server: Server, databases: Databases) -> None:
    kept, dropped = databases.fresh(SMALL, "kept"), databases.fresh(SMALL, "dropped")
    with psycopg.connect(server.dsn(dropped)):
        databases.drop(dropped)
    databases.keep(kept)
    databases.prepare(SMALL)
    databases.close()
    assert kept in names(server)
    assert dropped not in names(server)
    execute(server.dsn(), f'DROP DATABASE "{kept}"')


@pytest.mark.parametrize(
    ("name", "text", "line", "message"),
    [
        (
            "migrations/3_c.sql",
            "-- migrate:up\n\nSELECT 1;\nSELECT\n  nope;",
            5,
            'column "nope" does not exist',
        ),
        ("migrations/3_c.sql", "-- migrate:up\nSELECT 1;\n\nSELECT 1/0;\nSELECT 2;", 4, "division by zero"),
        (
            "migrations/3_c.sql",
            "-- migrate:up transaction:false\nSELECT 1;\nVACUUM nope;",
            3,
            "does not exist",
        ),
        ("migrations/3_c.sql", "-- migrate:up\nSELECT 1;\n\\d\n", 3, "psql command"),
        ("migrations/3_c.sql", "-- migrate:up\nVACUUM;", 2, "cannot run inside a transaction block"),
        ("seed.sql", "SELECT 1;\n\n  SELECT nope;", 3, "does not exist"),
        ("seed.sql", "COPY a FROM stdin;\n", 1, "COPY through the client"),
    ],
)
def test_an_error_of_the_template_names_its_line_every_time(
    databases: Databases, server: Server, tmp_path: Path, name: str, text: str, line: int, message: str
) -> None:
    write(tmp_path, f"db/{name}", text)
    for _ in range(2):  # the second time as well: a half-built template must not be cloned
        with pytest.raises(DocumentError, match=message) as caught:
            databases.fresh(SMALL, "x")
        assert caught.value.location == f"{tmp_path / 'db' / name}:{line}"
    assert databases.maker._names == set()
    assert databases.fresh(Database(empty=True, rows=0), "x") in names(server)


def test_a_failed_migration_leaves_nothing_of_itself(
    databases: Databases, tmp_path: Path, server: Server
) -> None:
    write(tmp_path, "db/migrations/3_c.sql", "-- migrate:up\nCREATE TABLE c (n int);\nSELECT 1/0;")
    with pytest.raises(DocumentError):
        databases.fresh(SMALL, "x")
    write(
        tmp_path,
        "db/migrations/3_c.sql",
        "-- migrate:up\nCREATE TABLE c (n int);\n-- migrate:down\nDROP TABLE c;",
    )
    assert execute(server.dsn(databases.fresh(SMALL, "x")), "SELECT count(*) FROM c") == [(0,)]


def test_a_server_in_recovery_is_waited_for(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    from pgrehearse.execution import maker as module

    real, calls = module.Session, []

    def crashed(name: str, conninfo: str) -> object:
        calls.append(name)
        if len(calls) < 3:
            raise SetupError("session admin cannot connect: FATAL:  the database system is in recovery mode")
        return real(name, conninfo)

    monkeypatch.setattr(module, "Session", crashed)
    assert databases.fresh(Database(empty=True, rows=0), "x")
    assert calls[:3] == ["admin"] * 3


def test_close_in_the_middle_of_making_one(server: Server, databases: Databases) -> None:
    """What Ctrl-C during CREATE DATABASE leaves: a busy connection. A lock makes it last."""
    databases.fresh(SMALL, "first")
    template = databases._templates[SMALL]
    execute(server.dsn(), f'ALTER DATABASE "{template}" ALLOW_CONNECTIONS true')
    with psycopg.connect(server.dsn(template)) as blocker:
        name = databases.maker.begin("half made", template)  # waits up to 5 s for the template to be free
        assert not databases.maker._session("clone").pump(0.01)
        closing = threading.Thread(target=databases.close)
        closing.start()
        closing.join(LIMIT)
        said = server.log_tail(50)
        assert "canceling statement due to user request" in said, "close waits for the database"
        assert f'"{template}" is being accessed by other users' not in said
        blocker.close()
    assert name not in names(server)


def test_a_role_that_is_no_superuser_marks_what_it_makes(server: Server, tmp_path: Path) -> None:
    """On 15 and later it may not give a database a setting the server does not know."""
    role = f"maker_{secrets.token_hex(4)}"
    execute(server.dsn(), f"CREATE ROLE {role} LOGIN CREATEDB")
    try:
        with fresh(server) as dsn:
            mark(dsn, "test")
            url = UrlServer(make_conninfo(dsn, user=role))
            made = Databases(url, project_at(tmp_path))
            try:
                name = made.fresh(Database(empty=True, rows=0), "one")
                assert open_target(server.dsn(name)).environment == "disposable"
            finally:
                made.close()
    finally:
        execute(server.dsn(), f"DROP ROLE {role}")
