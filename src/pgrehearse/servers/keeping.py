"""Data directories that outlive their run, so that a failure can be looked at later."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pgrehearse.errors import SetupError
from pgrehearse.servers.account import own
from pgrehearse.servers.cache import subdirectory

__all__ = ["LIMIT", "Kept", "entry", "forget_kept", "kept", "opened", "store"]

LIMIT = 5  # kept servers; the oldest make room


@dataclass(frozen=True)
class Kept:
    """One kept server.

    Attributes:
        id: its name in ``pgrehearse psql <id>/<dbname>``.
        major: server major the data directory belongs to.
        version: exact version it last ran with.
        stored: when it was kept, seconds since the epoch.
        home: its directory in the cache.
    """

    id: str
    major: int
    version: str
    stored: float
    home: Path

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.home / "log"


def kept() -> list[Kept]:
    """Return what is kept, newest first."""
    found = []
    for about in subdirectory("kept").glob("*/about.json"):
        try:
            facts = json.loads(about.read_text("utf-8"))
            found.append(
                Kept(about.parent.name, facts["major"], facts["version"], facts["stored"], about.parent)
            )
        except (OSError, ValueError, KeyError):
            continue  # being removed by another process
    return sorted(found, key=lambda one: one.stored, reverse=True)


def entry(id: str) -> Kept:
    """Return the kept server named ``id``.

    Raises:
        SetupError: there is none of that name.
    """
    known = kept()
    for one in known:
        if one.id == id:
            return one
    names = ", ".join(one.id for one in known) or "none"
    raise SetupError(
        f"no kept server is named {id!r}; kept: {names}",
        next_step=f"only the newest {LIMIT} are kept; run the document again with keeping on",
    )


def store(id: str, major: int, version: str, data: Path, log: Path) -> None:
    """Move the data directory of a stopped server to the cache; the oldest beyond `LIMIT` go.

    Raises:
        SetupError: the cache cannot be written.
    """
    home = subdirectory("kept")
    scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=home))
    try:
        shutil.move(data, scratch / "data")
        shutil.move(log, scratch / "log")
        facts = {"major": major, "version": version, "stored": time.time()}
        (scratch / "about.json").write_text(json.dumps(facts) + "\n", "utf-8")
        own(scratch)  # moving between file systems copies, and copies belong to root
        scratch.rename(home / id)
    except OSError as error:
        shutil.rmtree(scratch, ignore_errors=True)
        raise SetupError(
            f"the database could not be kept in {home}: {error.strerror or error}",
            next_step="make room there, or set PGREHEARSE_CACHE to another directory",
        ) from error
    for old in kept()[LIMIT:]:
        _remove(old)


def forget_kept() -> list[str]:
    """Remove all kept servers that are not open now; return the names of those removed."""
    return [one.id for one in kept() if _remove(one)]


@contextmanager
def opened(one: Kept) -> Iterator[int]:
    """Lock a kept server against a second opening; yields the descriptor that holds the lock.

    Who inherits the descriptor keeps the lock after the block ends.

    Raises:
        SetupError: it is open already.
    """
    lock = _lock(one)
    if lock is None:
        raise SetupError(
            f"the kept server {one.id} is open already",
            next_step="leave the other psql first: one data directory, one server",
        )
    try:
        yield lock
    finally:
        os.close(lock)


def _lock(one: Kept) -> int | None:
    try:
        lock = os.open(one.home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def _remove(one: Kept) -> bool:
    lock = _lock(one)
    if lock is None:
        return False
    try:
        shutil.rmtree(one.home, ignore_errors=True)
    finally:
        os.close(lock)
    return True
