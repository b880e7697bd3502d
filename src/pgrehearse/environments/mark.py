"""How a database says which environment it is, and how the connection string that leads to it is read.

A database's mark is a setting of its own, ``pgrehearse.environment``. It lives in the cluster's catalogs, not
in the data: only pg_dump --create takes it along to another database.
"""

from __future__ import annotations

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

from pgrehearse.errors import SetupError

__all__ = ["ENVIRONMENTS", "MARK_OF_D", "REHEARSABLE", "SETTING", "environment_variables", "parts_of"]

SETTING = "pgrehearse.environment"
#: What a database may call itself, safest first.
ENVIRONMENTS = ("disposable", "test", "development", "staging", "production")
#: Those that rehearsals may use.
REHEARSABLE = ENVIRONMENTS[:3]

#: SQL expression: the mark of the row ``d`` of pg_database, NULL without one. It is read from the catalog,
#: not with current_setting(): PGOPTIONS or a role could set it there.
MARK_OF_D = f"""(
    SELECT substring(setting FROM position('=' IN setting) + 1)
    FROM pg_db_role_setting AS s, unnest(s.setconfig) AS setting
    WHERE s.setdatabase = d.oid AND s.setrole = 0 AND setting LIKE '{SETTING}=%'
)"""


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
