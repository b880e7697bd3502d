"""What the databases of a server share, and a document can leave behind with its own database gone.

Roles, settings, other databases, tablespaces and the rest of the shared catalogs; the server's configuration;
and the two databases that everybody finds: template1, which new ones are copied from, and postgres.
"""

from __future__ import annotations

from collections.abc import Collection

import psycopg

from pgrehearse import queries
from pgrehearse.connections import connect
from pgrehearse.servers import claimed
from pgrehearse.servers.base import Server

__all__ = ["Shared", "differences", "take"]

#: (kind, name, value); None where the server does not tell, which is a difference to anything else.
Shared = frozenset[tuple[str, str, str]] | None
#: Databases that documents do not own and yet find.
_COMMON = ("template1", "postgres")


def take(server: Server, made: Collection[str]) -> Shared:
    """The present state of ``server`` without the databases ``made`` for documents, by other runs too."""
    try:
        with connect(server.watching.dsn(), autocommit=True) as connection:
            wanted = {"made": list(made), "others": "^$" if server.ours else claimed.NAMES}
            found = set(connection.execute(queries.text("shared"), wanted).fetchall())
            if connection.execute("SELECT pg_catalog.current_setting('is_superuser')").fetchone() == ("on",):
                found |= set(connection.execute(queries.text("shared_secrets"), wanted).fetchall())
        for name in _COMMON:
            found.add(("objects in", name, _catalogs(server, name)))
    except psycopg.Error:
        return None
    return frozenset((kind, name, str(value)) for kind, name, value in found)


def differences(before: Shared, after: Shared) -> list[str]:
    """What differs, by kind and name, such as ``role drift_check``; no order but the alphabet's."""
    if before is None or after is None:
        return ["a server that no longer tells what its databases share"]
    return sorted({f"{kind} {name}" for kind, name, _ in before ^ after})


def _catalogs(server: Server, name: str) -> str:
    with connect(server.watching.dsn(name), autocommit=True) as connection:
        row = connection.execute(queries.text("catalogs")).fetchone()
        assert row is not None
        return str(sorted(connection.execute(str(row[0]).encode()).fetchall()))
