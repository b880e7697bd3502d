"""Our environment, without what would lead a connection or a process to another server or repository."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from psycopg.pq import Conninfo

__all__ = ["alone", "git_environment", "libpq_environment", "server_environment"]

#: PostgreSQL's own variables: PGHOST, PGCONNECT_TIMEOUT, PG_COLOR. Others join PG to a name and a word, as
#: PGBACKREST_REPO1_CIPHER_PASS does: those are of programs that we call, or that cells call.
_POSTGRESQL = re.compile(r"PG(?:[A-Z0-9]*|_.*|CONNECT_TIMEOUT)")
_OURS = "PGREHEARSE_"
#: Parameters of a connection that lead nowhere: who they let in elsewhere comes in here, too.
_ASIDE = ("passfile", "password", "scram_client_key", "scram_server_key", "service", "servicefile")
#: Defaults that libpq has no text for, of parameters that may not be empty.
_DEFAULTS = {"connect_timeout": "0", "min_protocol_version": "3.0", "max_protocol_version": "3.0"}
#: Which repository git means, whatever folder it runs in. Hooks in a worktree have them, and rebase --exec.
_OF_A_REPOSITORY = frozenset(
    f"GIT_{word}"
    for word in (
        *("ALTERNATE_OBJECT_DIRECTORIES", "COMMON_DIR", "DIR", "GRAFT_FILE", "IMPLICIT_WORK_TREE"),
        *("INDEX_FILE", "NAMESPACE", "OBJECT_DIRECTORY", "PREFIX", "QUARANTINE_PATH", "REPLACE_REF_BASE"),
        *("SHALLOW_FILE", "WORK_TREE"),
    )
)


def alone(parts: Mapping[str, str]) -> dict[str, str]:
    """The connection of ``parts`` alone: what variables or a service of the shell would add has its default.

    A ``hostaddr`` there would win over a ``host`` here, and our statements would reach somebody's server.
    Asked of libpq, which knows its variables; PGTZ and PGDATESTYLE, which only say how values look, remain.
    """
    added: dict[str, str] = {}
    for option in Conninfo.get_defaults():
        name = option.keyword.decode()
        if option.val != option.compiled and name not in parts and name not in _ASIDE:
            default = option.compiled.decode() if option.compiled is not None else _DEFAULTS.get(name, "")
            added[name] = default
    return {**parts, **added}


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
    """Return it for git: what it says is of the repository that its folder lies in, and of its own commits.

    Neither a replaced object nor a graft stands in for what was committed. Git calls any file of grafts
    outdated, and would say so before each error: that hint is off, after what the shell has set.
    """
    kept = {**dict(_of_no_repository()), "GIT_NO_REPLACE_OBJECTS": "1", "GIT_GRAFT_FILE": os.devnull}
    count = kept.get("GIT_CONFIG_COUNT") or "0"
    if not count.isdecimal():  # git says what is wrong with it
        return kept
    return {
        **kept,
        "GIT_CONFIG_COUNT": str(int(count) + 1),
        f"GIT_CONFIG_KEY_{int(count)}": "advice.graftFileDeprecated",
        f"GIT_CONFIG_VALUE_{int(count)}": "false",
    }


def _of_no_repository() -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in os.environ.items() if name not in _OF_A_REPOSITORY)


def _kept() -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in _of_no_repository() if not _POSTGRESQL.fullmatch(name))
