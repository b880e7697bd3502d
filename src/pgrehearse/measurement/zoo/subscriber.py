"""A database that subscribes to a copy of a shape, on the same server: does it still follow?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.sql import SQL, Identifier, Literal

from pgrehearse.connections import connect
from pgrehearse.execution.maker import Maker
from pgrehearse.servers import Server

__all__ = ["PUBLICATION", "follows", "subscribed"]

#: What a shape with a subscriber publishes by.
PUBLICATION = "zoo_publication"
#: Seconds until what was written must have arrived.
_PATIENCE = 60.0
_BEHIND = """
SELECT confirmed_flush_lsn < pg_catalog.pg_current_wal_lsn() OR NOT active
  FROM pg_catalog.pg_replication_slots WHERE slot_name = %s
"""
#: Counted when a worker that applies gave up; another one begins, and meets the same.
_ERRORS = "SELECT apply_error_count > 0 FROM pg_catalog.pg_stat_subscription_stats"
_ACTIVE = "SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = %s AND active"


@contextmanager
def subscribed(
    server: Server, maker: Maker, publisher: str, template: str, ready: tuple[str, ...]
) -> Iterator[str]:
    """A subscriber of the database ``publisher``, both copies of ``template``; the name of its database.

    ``ready``: statements for it, before it subscribes. It is gone before ``publisher`` is dropped.
    """
    with maker.temporary("subscriber", template) as name:
        with connect(server.dsn(publisher), autocommit=True) as session:
            # Made here: a subscription that makes its own slot on its own server waits for itself.
            session.execute("SELECT pg_catalog.pg_create_logical_replication_slot(%s, 'pgoutput')", [name])
        try:
            with connect(server.dsn(name), autocommit=True) as session:
                for sql in (f"DROP PUBLICATION {PUBLICATION}", *ready):
                    session.execute(sql.encode())
                session.execute(
                    SQL(
                        "CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION {}"
                        " WITH (create_slot = false, copy_data = false)"
                    ).format(Identifier(name), Literal(server.dsn(publisher)), Identifier(PUBLICATION))
                )
            yield name
        finally:
            _end(server, publisher, name)


def follows(server: Server, publisher: str, subscriber: str) -> bool:
    """Whether all that was written so far in ``publisher`` arrives, and nothing ever failed to."""
    limit = time.monotonic() + _PATIENCE
    with (
        connect(server.dsn(publisher), autocommit=True) as session,
        connect(server.dsn(subscriber), autocommit=True) as other,
    ):
        while time.monotonic() < limit:
            if other.execute(_ERRORS.encode()).fetchall() == [(True,)]:
                return False
            if session.execute(_BEHIND.encode(), [subscriber]).fetchall() == [(False,)]:
                return True
            time.sleep(0.02)
    return False


def _end(server: Server, publisher: str, name: str) -> None:
    with connect(server.dsn(name), autocommit=True) as session:
        if session.execute("SELECT FROM pg_catalog.pg_subscription WHERE subname = %s", [name]).fetchall():
            for change in ("DISABLE", "SET (slot_name = NONE)"):
                session.execute(SQL("ALTER SUBSCRIPTION {} ").format(Identifier(name)) + SQL(change))
            session.execute(SQL("DROP SUBSCRIPTION {}").format(Identifier(name)))
    with connect(server.dsn(publisher), autocommit=True) as session:
        limit = time.monotonic() + _PATIENCE
        while session.execute(_ACTIVE.encode(), [name]).fetchall() and time.monotonic() < limit:
            time.sleep(0.005)
        session.execute("SELECT pg_catalog.pg_drop_replication_slot(%s)", [name])
