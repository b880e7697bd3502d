"""The schema of a database as a multiset of items, read without writing."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field

import psycopg

from pgrehearse.connections import connect
from pgrehearse.errors import SetupError, first_line
from pgrehearse.schema import catalog
from pgrehearse.schema.dump import OPTIONS, dump
from pgrehearse.schema.dump_text import split
from pgrehearse.schema.items import Item, items
from pgrehearse.schema.roles import roles

__all__ = ["Item", "Reading", "Schema", "read", "reading"]

#: PostgreSQL 16 and earlier do not know it, so it is no option of the connection.
_NO_TRANSACTION_TIMEOUT = """
SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name = 'transaction_timeout'
"""


@dataclass(frozen=True)
class Schema:
    """What a database defines. Equal to another when nothing differs; `differences` says what does.

    Attributes:
        items: sorted; an item that occurs twice is there twice.
        major: of the server; schemas of different majors differ by what PostgreSQL itself changed.
        versions: of extensions, by object. Where two servers have different default versions of an
            extension, `differences` does not compare what it consists of.
        unseen: what the role may not read, in words. It is compared with nothing.
        dumped: the same items, each after what it needs.
    """

    items: tuple[Item, ...]
    major: int = field(compare=False)
    unseen: tuple[str, ...] = field(default=(), compare=False)
    versions: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    dumped: tuple[Item, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True)
class Reading:
    """What a database says of itself, not taken apart yet.

    Attributes:
        text: of pg_dump.
        extras: what it does not write, roles among it.
        unseen, versions, major: as of `Schema`.
    """

    text: str
    extras: tuple[Item, ...]
    unseen: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]
    major: int

    @property
    def digest(self) -> str:
        """Equal for what defines the same in the same words."""
        rest = repr((sorted(self.extras), self.unseen, self.versions, self.major))
        return hashlib.sha256(self.text.encode() + b"\0" + rest.encode()).hexdigest()

    def schema(self) -> Schema:
        """The same as items."""
        found = [*items(split(self.text)), *self.extras]
        return Schema(tuple(sorted(found)), self.major, self.unseen, self.versions, tuple(found))


def read(conninfo: str, named: Collection[str] = (), ignored: Collection[str] = ()) -> Schema:
    """The schema of a database; see `reading`."""
    return reading(conninfo, named, ignored).schema()


def reading(conninfo: str, named: Collection[str] = (), ignored: Collection[str] = ()) -> Reading:
    """Read what a database says of itself. It is never written to.

    The ledger (schema ``pgrehearse``, table ``public.schema_migrations``) and the mark of the environment
    are left out. Column order, the names that PostgreSQL gives to NOT NULL constraints, rows and sequence
    values are no part of a schema.

    Args:
        conninfo: of a direct connection. One transaction reads everything, pg_dump included.
        named: roles whose existence and LOGIN belong to the schema.
        ignored: roles that do not.

    Raises SetupError: it cannot be reached, or the role may not read the tables.
    """
    try:
        with connect(conninfo, options=OPTIONS, autocommit=True) as connection:
            connection.execute("SET search_path = ''")
            connection.execute(_NO_TRANSACTION_TIMEOUT)
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            row = connection.execute("SELECT pg_catalog.pg_export_snapshot()").fetchone()
            assert row is not None
            major = connection.info.server_version // 10000
            dumped = dump(conninfo, create=True, ledger=False, snapshot=row[0], major=major)
            extras = (*catalog.extras(connection), *roles(connection, named, ignored))
            unseen = (*dumped.warnings, *catalog.unseen(connection))
            versions = tuple(sorted(catalog.versions(connection).items()))
    except psycopg.Error as error:
        reason = first_line(error)
        raise SetupError(
            f"the schema cannot be read: {reason}", next_step="check the DSN and its role"
        ) from None
    return Reading(dumped.text, extras, unseen, versions, major)
