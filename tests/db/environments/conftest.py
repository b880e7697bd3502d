"""Databases that belong to a role without superuser, on an old and a new major."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from psycopg.conninfo import make_conninfo

from pgrehearse.servers import Server, Servers
from support import databases
from support.databases import Database, execute
from support.majors import OLD_AND_NEW


@dataclass(frozen=True)
class Owned(Database):
    """A database as its owner sees it; ``admin`` is the superuser's connection string to it."""

    server: Server
    owner: str

    @property
    def admin(self) -> str:
        return self.server.dsn(self.name)


@pytest.fixture(params=OLD_AND_NEW)
def owned(servers: Servers, request: pytest.FixtureRequest) -> Iterator[Owned]:
    """A fresh, unmarked database and its owner; both go after the test."""
    server, role = servers.get(request.param), f"owner_{secrets.token_hex(4)}"
    execute(server.dsn(), f"CREATE ROLE {role} LOGIN")
    with databases.fresh(server, prefix="It's owned") as dsn:
        made = Owned(make_conninfo(dsn, user=role), server, role)
        execute(made.admin, f'ALTER DATABASE "{made.name}" OWNER TO {role}')
        yield made
        execute(made.admin, f"DROP OWNED BY {role}")
    execute(server.dsn(), f"DROP ROLE {role}")
