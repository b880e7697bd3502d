"""Sessions whose statements take as long as they must: what a role or a database limits does not count."""

from __future__ import annotations

from psycopg.conninfo import conninfo_to_dict, make_conninfo

__all__ = ["unlimited"]

#: Setting -> the first major that knows it. What waits with a transaction open is limited as before.
_LIMITS = {"statement_timeout": 0, "idle_session_timeout": 0, "transaction_timeout": 17}


def unlimited(conninfo: str, major: int) -> str:
    """``conninfo`` of a server of ``major``, with the limits of time lifted; its own options come first."""
    lifted = [f"-c {name}=0" for name, since in _LIMITS.items() if major >= since]
    given = conninfo_to_dict(conninfo).get("options") or ""
    return make_conninfo(conninfo, options=" ".join([str(given), *lifted]).strip())
