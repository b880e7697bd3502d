"""pg_dump for a server that is newer than the clients that come first; and for one that is full."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from pgrehearse.errors import SetupError
from pgrehearse.schema import client_programs, read
from pgrehearse.schema.dump import dump
from pgrehearse.servers import Server, Servers
from pgrehearse.servers.binaries import DEFAULT, named
from support import databases

NEWER = [major for major in named("all")[0] if major > DEFAULT]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The status of each pg_dump that runs."""
    found: list[int] = []
    real = client_programs.run

    def run(*words: str, **more: Any) -> tuple[int, str, str]:
        ended = real(*words, **more)
        found.append(ended[0])
        return ended

    monkeypatch.setattr(client_programs, "run", run)
    return found


@pytest.mark.parametrize("major", NEWER)
def test_an_older_pg_dump_is_not_asked_where_the_server_is_known(
    servers: Servers, major: int, asked: list[int]
) -> None:
    with databases.fresh(servers.get(major)) as dsn:
        assert read(dsn).major == major
        assert asked == [0]
        asked.clear()
        dump(dsn)
        assert asked in ([1, 0], [0]), "who does not know it asks the first, which may be new enough"


def test_a_server_without_room_for_one_more_is_called_that(server: Server) -> None:
    with databases.fresh(server) as dsn:
        name = databases.name_of(dsn)
        role = f"one_{name}"
        databases.execute(dsn, f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 1")
        mine = server.dsn(name, role)
        try:
            with psycopg.connect(mine), pytest.raises(SetupError, match="too many connections") as error:
                dump(mine)
            assert "close connections that nobody uses" in error.value.next_step
        finally:
            databases.execute(dsn, f"DROP ROLE {role}")
