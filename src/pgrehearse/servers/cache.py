"""The directory where downloads, prepared clusters and kept databases live between runs."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgrehearse.errors import SetupError

__all__ = ["building", "cache_dir", "locked", "subdirectory"]

_SYSTEM_CACHE = Path("/var/cache/pgrehearse")


def cache_dir() -> Path:
    """Return the cache directory, created when missing.

    ``PGREHEARSE_CACHE`` decides when it is set. Root uses ``/var/cache/pgrehearse``, because the
    server runs as another user and cannot enter root's home. Everybody else uses
    ``$XDG_CACHE_HOME/pgrehearse`` or ``~/.cache/pgrehearse``.

    Raises:
        SetupError: the directory cannot be created or written.
    """
    chosen = os.environ.get("PGREHEARSE_CACHE")
    if chosen:
        path = Path(chosen).expanduser().absolute()
    elif os.geteuid() == 0:
        path = _SYSTEM_CACHE
    else:
        home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        path = Path(home).expanduser().absolute() / "pgrehearse"
    _make(path)
    return path


def subdirectory(name: str) -> Path:
    """Return the directory ``name`` of the cache, created when missing.

    Raises:
        SetupError: it cannot be created or written.
    """
    path = cache_dir() / name
    _make(path)
    return path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on the file ``path``: other processes wait until the block ends.

    The system releases the lock when the process dies, so no lock is ever stale. The file stays.
    """
    with path.open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def building(place: Path) -> Iterator[Path | None]:
    """Make ``place`` once, whoever comes first: yields a scratch directory beside it, or None when it exists.

    The block fills the scratch directory and renames a part of it to ``place``, so ``place`` is never
    half made. Others wait meanwhile. What a killed process left is removed.
    """
    prefix = f".new-{place.name}-"
    with locked(place.parent / f"{place.name}.lock"):
        if place.exists():
            yield None
            return
        for left in place.parent.glob(f"{prefix}*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=prefix, dir=place.parent) as scratch:
            yield Path(scratch)


def _make(path: Path) -> None:
    try:
        if not path.is_dir():
            path.mkdir(parents=True, exist_ok=True)
            # The server may run as another user, so a strict umask must not hide the directory.
            path.chmod(0o755)
        problem = "" if os.access(path, os.W_OK | os.X_OK) else "permission denied"
    except OSError as error:
        problem = error.strerror or str(error)
    if problem:
        raise SetupError(
            f"the cache directory {path} cannot be written: {problem}",
            next_step="set PGREHEARSE_CACHE to a directory this user can write",
        )
