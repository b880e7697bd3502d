"""The shop, and a project to check, on the oldest and the newest server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pgrehearse.servers import Servers
from support.databases import execute, fresh, name_of
from support.majors import OLD_AND_NEW
from support.projects import project_at
from support.shop import Shop, shop_on

from .bench import FIRST, SECOND, Bench


@pytest.fixture(scope="session", params=OLD_AND_NEW)
def shop(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Shop]:
    with shop_on(servers.get(request.param)) as made:
        yield made


@pytest.fixture(params=OLD_AND_NEW)
def bench(
    request: pytest.FixtureRequest, servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    server = servers.get(request.param)
    monkeypatch.chdir(tmp_path)
    for variable in ("PGDATABASE", "PGSERVICE", "DATABASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    project_at(
        tmp_path, {"db/migrations/1_create_wish.sql": FIRST, "db/migrations/2_index_title.sql": SECOND}
    )
    roles = ("teller", "reader", "stranger", "migrator")
    for role in roles:
        execute(server.dsn(), f"CREATE ROLE {role} LOGIN")
    with fresh(server, "test", prefix="check") as dsn:
        yield Bench(server, tmp_path, name_of(dsn))
    for role in roles:
        execute(server.dsn(), f"DROP ROLE {role}")


@pytest.fixture
def applied(bench: Bench) -> Bench:
    assert bench.run("up")[0] == 0
    bench.run("check", "--write-schema")
    return bench
