"""Copies of a scratch database, on which repairs are tried."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from pgrehearse.migration.drift.repairs import BEFORE
from pgrehearse.migration.drift.scratch import Scratch
from pgrehearse.schema.definition import Schema
from pgrehearse.schema.roles import names

__all__ = ["ScratchCopies"]

_COPY = "pgrehearse_copy"
#: A copy may have the settings of the live database.
_WRITES = "SET default_transaction_read_only = off; SET lock_timeout = 0"


@dataclass
class ScratchCopies:
    """Copies on the server of ``scratch``; they end with it. ``roles``: those of the live server."""

    scratch: Scratch
    roles: Collection[str]

    def clone(self, name: str) -> str:
        """A database like ``name``, which nobody may be connected to; its name."""
        with self.scratch.connect("template1") as connection:
            connection.execute(SQL("DROP DATABASE IF EXISTS {}").format(Identifier(_COPY)))
            copy = SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(copy.format(Identifier(_COPY), Identifier(name)))
        self.scratch.quiet(_COPY)
        return _COPY

    @contextmanager
    def attempt(self, name: str) -> Iterator[psycopg.Connection[Any]]:
        """A superuser's session there, in autocommit mode, in which no event trigger fires."""
        with self.scratch.connect(name, self.scratch.runner.superuser) as connection:
            connection.execute(f"{BEFORE}; SET statement_timeout = '1min'; {_WRITES}".encode())
            if self.scratch.major < 17:  # 17 and later: see `Scratch.quiet`
                connection.execute("SET session_replication_role = replica")
            yield connection

    def read(self, name: str, named: set[str]) -> Schema:
        """What it defines."""
        return self.scratch.reading(name, named).schema()

    def missing(self, error: psycopg.Error) -> bool:
        """Whether a role was missing that the live server has, and is there now."""
        with self.scratch.connect("template1") as connection:
            return self.scratch.lent.unknown_role(connection, str(error), self.roles)

    def as_live(self) -> bool:
        """Take away the roles that the live server lacks. Whether there were any.

        The database that was copied holds on to them, so they get other names.
        """
        with self.scratch.connect("template1") as connection:
            absent = sorted(names(connection) - {*self.roles, *self.scratch.own})
            for name in absent:
                other = f"pgrehearse_absent_{len(self.scratch.own)}"
                rename = SQL("ALTER ROLE {} RENAME TO {}").format(Identifier(name), Identifier(other))
                connection.execute(rename)
                self.scratch.own.add(other)
        return bool(absent)
