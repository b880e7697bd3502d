"""A connection to the server itself: what needs a session refuses a pooler, for it would belong to others."""

from __future__ import annotations

import psycopg

from pgrehearse.errors import SetupError

__all__ = ["direct"]


def direct(connection: psycopg.Connection[object]) -> None:
    """Raise SetupError when a pooler stands between ``connection`` and the server.

    A pooler invents the process id it tells its client, so that canceling goes through it. Behind one, SET,
    temporary objects and advisory locks belong to a server connection that the next client gets.
    """
    row = connection.execute(b"SELECT pg_catalog.pg_backend_pid()").fetchone()
    assert isinstance(row, tuple)
    if row[0] != connection.info.backend_pid:
        raise SetupError(
            "refused: this connection goes through a pooler, where settings and locks made here would stay"
            " with others",
            next_step="give the address of PostgreSQL itself, usually port 5432 instead of the pooler's",
        )
