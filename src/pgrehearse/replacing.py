"""Folders that the program makes anew: a reader finds the old one or the new one, never a part of either."""

from __future__ import annotations

import ctypes
import fcntl
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgrehearse.errors import SetupError

__all__ = ["replaced"]

#: Linux and macOS swap two names in one step; both call the wish 2.
_SWAP = 2
_HERE = -100


@contextmanager
def replaced(target: Path, holds: str) -> Iterator[Path]:
    """A new folder beside ``target``, to be filled; it takes that place when the block ends without an error.

    Several may do so at the same time: the last to end stays. What a killed one left beside ``target`` goes.

    Args:
        target: missing, empty, or a folder made so before: one that has the file ``holds``.

    Raises SetupError: it is something else, or cannot be written. What was there is unchanged then.
    """
    known = not target.exists() or (target / holds).is_file()
    if not known and (not target.is_dir() or any(target.iterdir())):
        raise SetupError(
            f"this is not replaced: it has no {holds}, so something else made it",
            path=target,
            next_step="name a folder of its own",
        )
    try:
        draft, handle = _draft(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        yield draft
        try:
            _take_place(draft, target)
        except OSError as error:
            raise _unwritable(target, error) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)  # by now the old folder, if all went well
        os.close(handle)


def _draft(target: Path) -> tuple[Path, int]:
    """A new folder, with a descriptor whose lock says that somebody is at work in it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    around = os.open(target.parent, os.O_RDONLY)
    try:
        fcntl.flock(around, fcntl.LOCK_EX)  # nobody looks at a folder between its making and its lock
        for left in target.parent.glob(f".{target.name}.*.draft"):
            _remove_unless_locked(left)
        draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.draft")
        draft.mkdir()
        if target.is_dir():
            draft.chmod(stat.S_IMODE(target.stat().st_mode))
        handle = os.open(draft, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
        return draft, handle
    finally:
        os.close(around)


def _remove_unless_locked(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # a living process fills it
    else:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


def _take_place(draft: Path, target: Path) -> None:
    if not target.exists():
        draft.rename(target)
    elif not _swapped(draft, target):
        old = target.with_name(f".{target.name}.{secrets.token_hex(4)}.draft")
        target.rename(old)
        try:
            draft.rename(target)
        except OSError:
            old.rename(target)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _swapped(one: Path, other: Path) -> bool:
    """Whether the two names were swapped in one step; not every system and file system can."""
    library = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    if sys.platform == "darwin" and hasattr(library, "renamex_np"):
        return bool(library.renamex_np(*names, _SWAP) == 0)
    if hasattr(library, "renameat2"):
        return bool(library.renameat2(_HERE, names[0], _HERE, names[1], _SWAP) == 0)
    return False


def _unwritable(target: Path, error: OSError) -> SetupError:
    return SetupError(
        f"this folder cannot be written: {error.strerror or error}",
        path=target,
        next_step="make room, or see who may write there; what was there is unchanged",
    )
