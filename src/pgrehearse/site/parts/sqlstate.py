"""Names of error codes."""

from __future__ import annotations

import re

from psycopg import errors

__all__ = ["condition_name"]


def condition_name(sqlstate: str) -> str:
    """PostgreSQL's name of an SQLSTATE such as ``lock_not_available``; empty when it has none."""
    try:
        name = errors.lookup(sqlstate).__name__.rstrip("_")  # of InternalError_
    except KeyError:
        return ""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
