"""The way to a server: in UTF-8, whatever DSN, role, database or PGCLIENTENCODING say.

psycopg gives bytes instead of text where the encoding of the client is SQL_ASCII, and files are UTF-8.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

__all__ = ["NOT_TEXT", "NOT_TEXT_NEXT", "connect", "holds_other_text", "in_utf8"]

#: What is said of a database that holds something else than text in UTF-8, and what to do about it.
NOT_TEXT = "something in the database is not text in UTF-8"
NOT_TEXT_NEXT = "find the name or comment, and write it anew; an SQL_ASCII database takes any bytes"


def connect(conninfo: str, **options: Any) -> psycopg.Connection[Any]:
    """`psycopg.connect`, in UTF-8. Raises psycopg.Error."""
    return psycopg.connect(in_utf8(conninfo), **options)


def holds_other_text(connection: psycopg.Connection[Any], error: psycopg.Error) -> bool:
    """Whether ``error`` says that the database of ``connection`` holds what is `NOT_TEXT`.

    Only one in SQL_ASCII can: others refuse it where it is written.
    """
    return error.sqlstate == "22021" and connection.info.parameter_status("server_encoding") == "SQL_ASCII"


def in_utf8(conninfo: str) -> str:
    """The connection string that asks for UTF-8, for libpq and the programs that use it."""
    return make_conninfo(conninfo, client_encoding="UTF8")
