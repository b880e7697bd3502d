"""How a connection string is read, and how a child process is told the same."""

from __future__ import annotations

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

from pgrehearse.errors import SetupError

__all__ = ["environment_variables", "parts_of"]


def parts_of(dsn: str, *, what: str, fix: str) -> dict[str, str]:
    """Split a connection string. Raises SetupError that calls it ``what`` and says ``fix``.

    Whatever libpq says of a bad one may quote a password, so it is not passed on.
    """
    try:
        parts = {name: str(value) for name, value in conninfo_to_dict(dsn).items() if value is not None}
    except psycopg.Error:
        parts = None
    # An unescaped @ or / in a password moves the rest of it into host, port or database.
    moved = parts is not None and (
        any("@" in parts.get(name, "") for name in ("host", "port", "dbname"))
        or not parts.get("port", "0").replace(",", "").isdigit()
    )
    if parts is None or moved:
        raise SetupError(f"{what} cannot be read as a connection string", next_step=fix)
    return parts


def environment_variables(parts: dict[str, str]) -> dict[str, str]:
    """libpq's variables that say what ``parts`` says, the password among them: never print them."""
    names = {
        option.keyword.decode(): option.envvar.decode() for option in Conninfo.get_defaults() if option.envvar
    }
    return {names[name]: value for name, value in parts.items() if value and name in names}
