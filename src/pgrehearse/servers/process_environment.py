"""The environment of processes we start, without what would lead them to another server."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

__all__ = ["libpq_environment", "server_environment"]

#: PostgreSQL's own variables: PGHOST, PGCONNECT_TIMEOUT, PG_COLOR. Others join PG to a name and a word, as
#: PGBACKREST_REPO1_CIPHER_PASS does: those are of programs that we call, or that cells call.
_POSTGRESQL = re.compile(r"PG(?:[A-Z0-9]*|_.*|CONNECT_TIMEOUT)")
_OURS = "PGREHEARSE_"


def libpq_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with PostgreSQL's variables replaced by ``settings``, in UTF-8.

    Leftovers matter: ``PGHOSTADDR`` or ``PGSERVICE`` in a shell would lead a child process to another server.
    """
    return {**dict(_kept()), **settings, "PGCLIENTENCODING": "UTF8"}


def server_environment() -> dict[str, str]:
    """Return it for a server: without a locale, and our own variables, one of which may hold a password."""
    without = (_OURS, "LC_", "LANG")
    return {**{name: value for name, value in _kept() if not name.startswith(without)}, "LC_ALL": "C"}


def _kept() -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in os.environ.items() if not _POSTGRESQL.fullmatch(name))
