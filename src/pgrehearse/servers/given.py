"""A data directory that somebody else filled, served for a while: such as a restored backup.

It lies in a folder of ours. Whatever ends this process, the server ends and the folder goes, or the next run
clears it up.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from pgrehearse.servers import binaries, cluster, orphans
from pgrehearse.servers.account import own, readable
from pgrehearse.servers.local import LocalServer

__all__ = ["folder", "fresh", "readable", "serve", "sweep"]


def sweep(parent: Path) -> None:
    """Clear up what killed runs left below ``parent``."""
    orphans.sweep((str(parent),))


def folder(parent: Path) -> Path:
    """Make a private folder of this process below ``parent``, for `serve`.

    Raises:
        SetupError: the path is too long for a socket, or ``parent`` is closed to us or to the server.
    """
    cluster.enterable(parent)
    made = Path(tempfile.mkdtemp(prefix="pgr-", dir=parent))
    orphans.claim(made)
    own(made)
    return made


def fresh(major: int) -> Path:
    """The data directory of an empty cluster, to be copied."""
    return cluster.prepared(cluster.runnable(binaries.find(major)))


def serve(
    place: Path,
    major: int,
    settings: Mapping[str, str],
    *,
    user: str,
    quiet: float,
    watch: Callable[[], None],
) -> LocalServer:
    """Start a server on ``place/data`` and return it when its recovery has ended.

    Args:
        place: made by `folder`. It is gone when the server has stopped.
        settings: that no file in the data directory can override.
        user: a superuser of that cluster.
        quiet: seconds without a word in the server's log after which it is given up.
        watch: called again and again meanwhile.

    Raises:
        SetupError: no such PostgreSQL can be had, or recovery failed; it ends with the log's last lines.
    """
    found = cluster.runnable(binaries.find(major))
    (place / "data").chmod(0o700)
    own(place)
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    server = LocalServer(
        found, place, place / "data", place / "log", secrets.token_hex(3), options=options, user=user
    )
    try:
        server.wait_recovered(quiet, watch)
    except BaseException:
        server.stop()
        raise
    return server
