"""The surroundings in which the ledger's own statements run, whatever a migration or its role set.

A search path may lead to other tables, functions and operators of the same name, a role may not be the one
that keeps the ledger, and a policy may hide rows. Inside of `ours` none of that counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from weakref import WeakSet

import psycopg
from psycopg.pq import TransactionStatus

__all__ = ["ours"]

#: One message. With row_security off, a query that a policy would filter is an error.
_OURS = """
SET LOCAL SESSION AUTHORIZATION DEFAULT;
SET LOCAL ROLE NONE;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL row_security = off;
"""


#: Connections in such a transaction.
_within: WeakSet[psycopg.Connection[Any]] = WeakSet()


@contextmanager
def ours(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """A transaction of our own; or the rest of the one under way, which must have nothing else to do."""
    if connection in _within:
        yield
        return
    begun = connection.info.transaction_status == TransactionStatus.IDLE
    try:
        connection.execute(f"BEGIN; {_OURS}".encode() if begun else _OURS)  # one message: each costs a visit
        _within.add(connection)
        yield
    except BaseException:
        if begun and connection.info.transaction_status != TransactionStatus.IDLE:
            with suppress(psycopg.Error):  # it is gone, and its transaction with it
                connection.execute("ROLLBACK")
        raise
    else:
        if begun:
            connection.execute("COMMIT")
    finally:
        _within.discard(connection)
