"""The surroundings in which the ledger's own statements run, whatever a migration or its role set.

A search path may lead to other tables, functions and operators of the same name, a role may not be the one
that keeps the ledger, a policy may hide rows, and times may be spelled as psycopg cannot read them. Inside of
`ours` none of that counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from weakref import WeakSet

import psycopg
from psycopg.pq import TransactionStatus

from pgrehearse.connections import transaction

__all__ = ["ours"]

#: One message. With row_security off, a query that a policy would filter is an error.
_OURS = b"""
SET LOCAL SESSION AUTHORIZATION DEFAULT;
SET LOCAL ROLE NONE;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL row_security = off;
SET LOCAL DateStyle = ISO;
SET LOCAL IntervalStyle = postgres;
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
    with transaction(connection, _OURS) if begun else nullcontext():
        if not begun:
            connection.execute(_OURS)
        _within.add(connection)
        try:
            yield
        finally:
            _within.discard(connection)
