"""A folder of small files, held in memory so that it can be made again elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from stat import S_IMODE

__all__ = ["Held", "hold", "lay_out"]

#: Mode and content by path below the folder; content None: a folder; text: a symbolic link to that.
Held = Mapping[str, tuple[int, bytes | str | None]]
#: Bytes from which on a folder is not held.
_MOST = 4 << 20


def hold(folder: Path) -> Held | None:
    """What ``folder`` holds; None when that is too much, or would not be the same elsewhere."""
    found: dict[str, tuple[int, bytes | str | None]] = {}
    own, size = str(folder).encode(), 0
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content: bytes | str | None = None
        if path.is_symlink():
            content = str(path.readlink())
        elif path.is_file():
            size += status.st_size
            if size > _MOST:
                return None
            content = path.read_bytes()
            if own in content:
                return None
        elif not path.is_dir():
            return None
        found[str(path.relative_to(folder))] = S_IMODE(status.st_mode), content
    return found


def lay_out(held: Held, folder: Path) -> None:
    """Make ``folder`` hold just that."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    for name, (mode, content) in held.items():
        path = folder / name
        if isinstance(content, str):
            path.symlink_to(content)
            continue
        if content is None:
            path.mkdir()
        else:
            path.write_bytes(content)
        path.chmod(mode)
