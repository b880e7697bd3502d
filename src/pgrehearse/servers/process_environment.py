"""The environment of processes we start, without what would lead them to another server or repository."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

__all__ = ["git_environment", "libpq_environment", "server_environment"]

#: PostgreSQL's own variables: PGHOST, PGCONNECT_TIMEOUT, PG_COLOR. Others join PG to a name and a word, as
#: PGBACKREST_REPO1_CIPHER_PASS does: those are of programs that we call, or that cells call.
_POSTGRESQL = re.compile(r"PG(?:[A-Z0-9]*|_.*|CONNECT_TIMEOUT)")
_OURS = "PGREHEARSE_"
#: Which repository git means, whatever folder it runs in. Hooks in a worktree have them, and rebase --exec.
_OF_A_REPOSITORY = frozenset(
    f"GIT_{word}"
    for word in (
        *("ALTERNATE_OBJECT_DIRECTORIES", "COMMON_DIR", "DIR", "GRAFT_FILE", "IMPLICIT_WORK_TREE"),
        *("INDEX_FILE", "NAMESPACE", "OBJECT_DIRECTORY", "PREFIX", "QUARANTINE_PATH", "REPLACE_REF_BASE"),
        *("SHALLOW_FILE", "WORK_TREE"),
    )
)


def libpq_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with PostgreSQL's variables replaced by ``settings``, in UTF-8.

    Leftovers matter: ``PGHOSTADDR`` or ``PGSERVICE`` in a shell would lead a child process to another server,
    and ``GIT_DIR`` of a hook the ``git commit`` of a cell into the reader's repository.
    """
    return {**dict(_kept()), **settings, "PGCLIENTENCODING": "UTF8"}


def server_environment() -> dict[str, str]:
    """Return it for a server: without a locale, and our own variables, one of which may hold a password."""
    without = (_OURS, "LC_", "LANG")
    return {**{name: value for name, value in _kept() if not name.startswith(without)}, "LC_ALL": "C"}


def git_environment() -> dict[str, str]:
    """Return it for git: what it says is of the repository that its folder lies in."""
    return {name: value for name, value in os.environ.items() if name not in _OF_A_REPOSITORY}


def _kept() -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in git_environment().items() if not _POSTGRESQL.fullmatch(name))
