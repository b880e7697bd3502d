"""The way to a server: in UTF-8, whatever DSN, role, database or PGCLIENTENCODING say.

psycopg gives bytes instead of text where the encoding of the client is SQL_ASCII, and files are UTF-8.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

__all__ = ["connect", "in_utf8"]


def connect(conninfo: str, **options: Any) -> psycopg.Connection[Any]:
    """`psycopg.connect`, in UTF-8. Raises psycopg.Error."""
    return psycopg.connect(in_utf8(conninfo), **options)


def in_utf8(conninfo: str) -> str:
    """The connection string that asks for UTF-8, for libpq and the programs that use it."""
    return make_conninfo(conninfo, client_encoding="UTF8")
