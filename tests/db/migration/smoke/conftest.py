"""Databases with this repository's migrations, for the tests of smoke tests and migration tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pgrehearse.execution.databases import Databases
from pgrehearse.servers import Server
from pgrehearse.text.front_matter import Database
from pgrehearse.text.project import Project

Example = Callable[..., str]


@pytest.fixture(scope="session")
def databases(server: Server, repository: Project) -> Iterator[Databases]:
    made = Databases(server, repository)
    yield made
    made.close()


@pytest.fixture
def example(databases: Databases, server: Server) -> Iterator[Example]:
    """Make a database with that many wishes, change it with SQL, and return its connection string."""
    names = []

    def make(*changes: str, rows: int = 1000) -> str:
        name = databases.fresh(Database(rows=rows), "smoke")
        names.append(name)
        with psycopg.connect(server.dsn(name), autocommit=True) as connection:
            for change in changes:
                connection.execute(change.encode())
        return server.dsn(name)

    yield make
    for name in names:
        databases.drop(name)


@pytest.fixture
def contract(repository: Project) -> Path:
    return repository.root / "db" / "smoke.sql"
