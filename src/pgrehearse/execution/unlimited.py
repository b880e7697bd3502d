"""Sessions whose statements take as long as they must: what a role or a database limits does not count."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg.conninfo import conninfo_to_dict, make_conninfo

__all__ = ["lifting", "unlimited"]

#: Setting -> the first major that knows it. What waits with a transaction open is limited as before.
_LIMITS = {"statement_timeout": 0, "idle_session_timeout": 0, "transaction_timeout": 17}


def unlimited(conninfo: str, major: int) -> str:
    """``conninfo`` of a server of ``major``, with the limits of time lifted; its own options come first."""
    lifted = [f"-c {name}=0" for name, since in _LIMITS.items() if major >= since]
    given = conninfo_to_dict(conninfo).get("options") or ""
    return make_conninfo(conninfo, options=" ".join([str(given), *lifted]).strip())


def lifting(major: int | None) -> Iterator[str]:
    """Statements that do the same in a session of somebody else; None is a server that is not known."""
    for name, since in _LIMITS.items():
        if major is None and since:
            yield f"SELECT set_config(name, '0', false) FROM pg_settings WHERE name = '{name}';"
        elif since <= (major or 0):
            yield f"SET {name} = 0;"
