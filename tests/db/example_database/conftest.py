"""The example database, empty and filled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from support.example import FILES, Connection, migrate, seed


@pytest.fixture
def empty(database: str) -> Iterator[Connection]:
    with closing(psycopg.connect(database, autocommit=True)) as connection:
        yield connection


@pytest.fixture
def example(empty: Connection) -> Connection:
    """All migrations and 1,000 wishes."""
    for path in FILES:
        migrate(empty, path, "up")
    seed(empty, 1000)
    return empty
