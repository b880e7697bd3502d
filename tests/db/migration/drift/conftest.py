"""A database with something of every kind, and clones of it, on the oldest and the newest server."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from pgrehearse.schema import Schema, read
from pgrehearse.servers import Server, Servers

MAJORS = [int(word) for word in os.environ.get("PGREHEARSE_DRIFT_MAJORS", "15,18").split(",")]
ROLES = ("app_owner", "app_reader", "app_writer", "outsider")


@dataclass(frozen=True)
class Shop:
    """A server with the prepared database, its schema, and a way to get clones of it."""

    server: Server
    schema: Schema
    clone: Callable[[], AbstractContextManager[str]]

    def run(self, name: str, script: str) -> None:
        """One statement a line, as the superuser; a line that begins otherwise continues the one before."""
        with psycopg.connect(self.server.dsn(name), autocommit=True) as connection:
            for statement in (
                script.format(database=name).splitlines() if "{database}" in script else script.splitlines()
            ):
                connection.execute(statement.encode())


@pytest.fixture(scope="session", params=MAJORS)
def shop(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Shop]:
    server = servers.get(request.param)
    template = f"shop_{secrets.token_hex(4)}"
    admin = psycopg.connect(server.dsn(), autocommit=True)
    for role in ROLES:
        admin.execute(f"CREATE ROLE {role} LOGIN".encode())
    admin.execute(b"CREATE ROLE app_super SUPERUSER")
    admin.execute(f"CREATE DATABASE {template} TEMPLATE template0".encode())
    with psycopg.connect(server.dsn(template), autocommit=True) as connection:
        connection.execute((Path(__file__).parent / "shop.sql").read_bytes())
    schema = read(server.dsn(template))

    @contextmanager
    def clone() -> Iterator[str]:
        name = f"drift_{secrets.token_hex(4)}"
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        yield name
        with psycopg.connect(server.dsn(name), autocommit=True) as connection:
            found = connection.execute("SELECT subname FROM pg_subscription").fetchall()
            for (subscription,) in found:
                connection.execute(f"DROP SUBSCRIPTION {subscription}".encode())
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    yield Shop(server, schema, clone)
    admin.execute(f"DROP DATABASE {template} WITH (FORCE)".encode())
    for role in (*ROLES, "app_super"):
        admin.execute(f"DROP ROLE {role}".encode())
    admin.close()
