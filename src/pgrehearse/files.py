"""Files that the program rewrites: a reader finds the old text or the new one, never a part of either."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pgrehearse.errors import SetupError

__all__ = ["alone_in", "folder", "write", "write_json"]

#: A list of numbers takes one line, so that a diff shows what changed. A string holds no raw newline in JSON.
_NUMBERS = re.compile(r"\[\n\s+((?:-?[\d.]+|null)(?:,\n\s+(?:-?[\d.]+|null))*)\n\s+\]")


def write(path: Path, text: str) -> Path:
    """Make ``text`` the content of ``path``, in UTF-8 and with its own line ends; returns ``path``.

    The text goes to a draft beside the file, to the disk, and under its name then. The file keeps its mode
    and, where this user may say so, its owner. A link keeps pointing to the file that is rewritten. What is
    no regular file, such as /dev/stdout, is written as it is.

    Raises SetupError: no room, no permission, no folder. The file is as it was then.
    """
    content = text.encode()
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
        else:
            _replace(path.resolve(), content)
    except OSError as error:
        raise SetupError(
            f"cannot be written: {error.strerror}",
            path=path,
            next_step="give it a shorter name"
            if error.errno == errno.ENAMETOOLONG
            else "make room, or see who may write there; what was there is unchanged",
        ) from error
    return path


@contextmanager
def alone_in(path: Path) -> Iterator[None]:
    """Nobody else who asks the same is in the folder ``path`` until the block ends."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def folder(path: Path) -> Path:
    """Make the folder ``path`` where it is missing; returns it. Raises SetupError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"this folder cannot be made: {error.strerror}", path=path, next_step="see who may write there"
        ) from error
    return path


def write_json(path: Path, data: Mapping[str, Any], *, sort_keys: bool = False) -> Path:
    """Write ``data`` as `write` does, in a missing folder too, in lines that are easy to compare."""
    text = json.dumps(data, indent=1, sort_keys=sort_keys, ensure_ascii=False)
    folder(path.parent)
    return write(path, _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text) + "\n")


def _replace(target: Path, content: bytes) -> None:
    draft = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.tmp")
    # Not tempfile: its files are for their maker only, whatever the umask says.
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(handle, "wb") as out:
            _take_after(out.fileno(), target)
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _take_after(handle: int, target: Path) -> None:
    """Give the draft the mode and the owner of the file it will replace."""
    try:
        old, new = target.stat(), os.fstat(handle)
    except FileNotFoundError:
        return
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        with suppress(PermissionError):  # only root gives files away
            os.fchown(handle, old.st_uid, old.st_gid)
    os.fchmod(handle, stat.S_IMODE(old.st_mode))
