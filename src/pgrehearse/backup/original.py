"""The database that was backed up, as it is now: what a copy of it has to agree with. Only read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from pgrehearse.connections import connect
from pgrehearse.environments.target import Target
from pgrehearse.errors import SetupError, first_line
from pgrehearse.migration.runner.ledger import Ledger

__all__ = ["Original", "look"]

_SERVER = """
SELECT s.system_identifier::text,
       pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8),
       (SELECT rolname FROM pg_catalog.pg_roles WHERE oid = 10),
       (SELECT pg_catalog.sum(pg_catalog.pg_database_size(oid))::bigint FROM pg_catalog.pg_database
         WHERE pg_catalog.has_database_privilege(oid, 'CONNECT')),
       pg_catalog.pg_database_size(pg_catalog.current_database()),
       pg_catalog.pg_encoding_to_char((SELECT encoding FROM pg_catalog.pg_database
                                        WHERE datname = pg_catalog.current_database())),
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_tablespace WHERE oid >= 16384),
       (SELECT rolsuper OR rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = current_user),
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size')), pg_catalog.clock_timestamp()
  FROM pg_catalog.pg_control_system() AS s
"""
_ROLES = "SELECT rolname FROM pg_catalog.pg_roles WHERE oid >= 16384 AND rolname !~ '^pg_' ORDER BY 1"


@dataclass(frozen=True)
class Original:
    """What it is.

    Attributes:
        target: how it is reached.
        system_identifier, timeline: of its server.
        superuser: the role its server was made with.
        bytes: of all databases that this role may connect to; database_bytes: of this one.
        encoding: of this one.
        tablespaces: beside the two that every server has.
        sees_all: whether no row security hides rows from this role.
        wal_segment: bytes of a WAL file.
        now: what its clock said.
        versions: migrations that are applied, by its ledger.
        roles: of its server, but those that every server has.
    """

    target: Target
    system_identifier: str
    timeline: int
    superuser: str
    bytes: int
    database_bytes: int
    encoding: str
    tablespaces: int
    sees_all: bool
    wal_segment: int
    now: datetime
    versions: tuple[str, ...] = field(default=())
    roles: tuple[str, ...] = field(default=())

    @property
    def database(self) -> str:
        return self.target.database

    @property
    def settings(self) -> dict[str, str]:
        """libpq's variables for programs, the password among them: never print them."""
        return {**self.target.libpq_environment(), "PGDATABASE": self.database}

    @property
    def ledger(self) -> str:
        """The newest migration; empty where there is none."""
        return self.versions[-1] if self.versions else ""


def look(target: Target) -> Original:
    """Look at ``target``. Raises SetupError: it cannot be read."""
    try:
        with connect(target.conninfo) as connection:
            connection.read_only = True
            row = connection.execute(_SERVER).fetchone()
            assert row is not None
            identifier, timeline, *others = row
            superuser, size, of_database, encoding, tablespaces, sees_all, segment, now = others
            roles = tuple(name for (name,) in connection.execute(_ROLES).fetchall())
            versions = tuple(Ledger(connection).known().applied)
            return Original(
                target=target,
                system_identifier=identifier,
                timeline=int(timeline, 16),
                superuser=superuser,
                bytes=size,
                database_bytes=of_database,
                encoding=encoding,
                tablespaces=tablespaces,
                sees_all=sees_all,
                wal_segment=segment,
                now=now,
                versions=versions,
                roles=roles,
            )
    except psycopg.Error as error:
        raise SetupError(
            f"{target.database} cannot be looked at: {first_line(error)}",
            next_step="connect as its owner, or as a member of pg_monitor and pg_read_all_data",
        ) from None
