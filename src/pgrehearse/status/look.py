"""What a fact is read with: one session that only reads, waits for nobody and is ended in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from pgrehearse.connections import transaction
from pgrehearse.environments.declared import Environment
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.project import Project

__all__ = ["Look", "Unreadable", "reading"]

#: For one transaction each, so that nothing stays with a connection that a pooler gives to others.
_SETTINGS = """
SET LOCAL transaction_read_only = on;
SET LOCAL lock_timeout = '500ms';
SET LOCAL statement_timeout = '{limit}ms';
SET LOCAL search_path = pg_catalog, pg_temp;
"""


class Unreadable(Exception):
    """A fact cannot be known, for the ``reason``; ``next_step`` is what would change that."""

    def __init__(self, reason: str, next_step: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.next_step = next_step


@dataclass(frozen=True)
class Look:
    """One database that is looked at.

    Attributes:
        connection: in autocommit mode; facts are read within `reading`.
        name: what the file calls the database; of the environment's own, its name.
        position: of the environment in the file, counted from 0.
        user, standby, sees_others: what the server said of this session: its role, whether the server is a
            standby, and whether that role may see what other roles do.
        limit: seconds that one statement may take.
    """

    connection: psycopg.Connection[Any]
    project: Project
    environment: Environment
    position: int
    migrations: Sequence[Migration]
    name: str
    user: str
    standby: bool
    sees_others: bool
    limit: float = 5.0

    def rows(
        self, query: bytes, values: Sequence[object] | Mapping[str, object] | None = None
    ) -> list[tuple[Any, ...]]:
        """What ``query`` returns."""
        return self.connection.execute(query, values).fetchall()


@contextmanager
def reading(connection: psycopg.Connection[Any], limit: float) -> Iterator[None]:
    """A transaction that cannot write and takes no lock that somebody else holds against it."""
    with transaction(connection, _SETTINGS.format(limit=max(int(limit * 1000), 1)).encode()):
        yield
