"""A database with something of every kind, and clones of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import psycopg

from pgrehearse.schema import Schema, read
from pgrehearse.servers import Server
from support import ROOT, databases
from support.databases import execute, name_of

__all__ = ["Shop", "shop_on"]

#: Of one database, told in any other.
SUBSCRIPTIONS = (
    "SELECT subname FROM pg_subscription JOIN pg_database AS d ON d.oid = subdbid WHERE datname = %s"
)
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


@contextmanager
def shop_on(server: Server) -> Iterator[Shop]:
    """The shop on that server, with the roles it needs, which no other test may use meanwhile."""
    for role in ROLES:
        execute(server.dsn(), f"CREATE ROLE {role} LOGIN")
    execute(server.dsn(), "CREATE ROLE app_super SUPERUSER")
    with databases.fresh(server, prefix="shop") as template:
        with psycopg.connect(template, autocommit=True) as connection:
            connection.execute((ROOT / "tests" / "support" / "shop.sql").read_bytes())

        @contextmanager
        def clone() -> Iterator[str]:
            with databases.fresh(server, template=name_of(template), prefix="drift") as dsn:
                try:
                    yield name_of(dsn)
                finally:  # a subscription keeps its database
                    here = [name_of(dsn)]
                    for (subscription,) in databases.admin(server).execute(SUBSCRIPTIONS, here).fetchall():
                        execute(dsn, f"DROP SUBSCRIPTION {subscription}")

        yield Shop(server, read(template), clone)
    for role in (*ROLES, "app_super"):
        execute(server.dsn(), f"DROP ROLE {role}")
