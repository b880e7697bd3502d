"""The account that servers run as: PostgreSQL refuses root."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pgrehearse.errors import SetupError
from pgrehearse.servers.process_environment import server_environment

__all__ = ["Account", "account", "as_server", "closed", "enters", "identity", "own", "readable"]


@dataclass(frozen=True)
class Account:
    """The user a server runs as when we are root, because PostgreSQL refuses root."""

    name: str
    uid: int
    gid: int


@lru_cache(maxsize=1)
def account() -> Account | None:
    """Return ``postgres``, else ``nobody``, when running as root; None when the server may run as us.

    Raises:
        SetupError: running as root and neither user exists.
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise SetupError(
        "PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as",
        next_step="run as an ordinary user, or add a user named postgres",
    )


def own(path: Path) -> None:
    """Give ``path`` and everything below it to the server's user, when that is not us."""
    who = account()
    if who is None:
        return
    os.chown(path, who.uid, who.gid)
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.chown(Path(folder, name), who.uid, who.gid, follow_symlinks=False)


def identity() -> dict[str, Any]:
    """Arguments of ``subprocess`` for the account that servers run as; none when that is us."""
    who = account()
    return {} if who is None else {"user": who.uid, "group": who.gid, "extra_groups": []}


def as_server(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a short command as the user the server runs as and return what it printed."""
    return subprocess.run(
        command,
        cwd="/",
        env=server_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **identity(),
    )


def enters(directory: str) -> bool:
    """Whether that account may enter ``directory``."""
    return as_server(["/bin/sh", "-c", 'test -x "$0"', directory]).returncode == 0


def readable(folder: Path) -> None:
    """Raise SetupError unless the account that servers run as can read what lies in ``folder``."""
    if as_server(["/bin/sh", "-c", 'test -r "$0" && test -x "$0"', str(folder)]).returncode != 0:
        raise closed(f"{folder} cannot be read")


def closed(what: str) -> SetupError:
    """The error that something is closed to that account; ``what`` says it as far as "by the user"."""
    who = account()
    return SetupError(
        f"{what} by the user {who.name if who else 'that runs this'}",
        next_step="keep PostgreSQL and PGREHEARSE_CACHE where every user can read, or do not run as root",
    )
