"""A folder copied: links to tablespaces and to the WAL become folders of the copy."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from pgrehearse.backup.proof import Refused

__all__ = ["copied", "no_special_file"]

_PART = 64 << 20  # bytes asked of the system at once
_TICK = 0.2  # seconds between two words on progress
_AHEAD = 64  # files that are handed out before the first of them has to be done


def copied(source: Path, target: Path, jobs: int, progress: Callable[[int], None]) -> int:
    """Copy what is below ``source`` into the new folder ``target``; the bytes that it took.

    Links inside ``pg_tblspc`` are followed to a folder beside ``target`` and made anew, so the copy shares
    nothing with what it was copied from. ``progress`` is called with the bytes so far.
    Raises OSError, with the name of the file.
    """
    total = 0
    running: set[Future[int]] = set()
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        try:
            for one, to in _files(source, target):
                running.add(pool.submit(_copy, one, to))
                while len(running) >= _AHEAD:
                    total += _taken(running)
                    progress(total)
            while running:
                total += _taken(running)
                progress(total)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return total


def no_special_file(place: Path) -> None:
    """Raise Refused, which names it, where a FIFO, a socket or a device is ``place``, or lies in it.

    Whoever opens a FIFO waits until somebody writes into it: pg_verifybackup and pg_restore would for ever.
    Links are followed, as they do; one that leads nowhere is left to them.
    """
    seen: set[tuple[int, int]] = set()
    left = [place]
    while left:
        one = left.pop()
        try:
            found = one.stat()
        except OSError:
            continue
        if stat.S_ISDIR(found.st_mode):
            if (found.st_dev, found.st_ino) not in seen:
                seen.add((found.st_dev, found.st_ino))
                with os.scandir(one) as entries:
                    left += [
                        Path(entry.path) for entry in entries if not entry.is_file(follow_symlinks=False)
                    ]
        elif not stat.S_ISREG(found.st_mode):
            raise Refused(
                f"{one} is neither a file nor a folder: whoever reads it may wait for ever",
                "no backup holds such a thing: find who made it, and take a new one",
            )


def _taken(running: set[Future[int]]) -> int:
    done, _ = wait(running, _TICK, FIRST_COMPLETED)
    running -= done
    return sum(one.result() for one in done)


def _files(source: Path, target: Path) -> Iterator[tuple[Path, Path]]:
    """Each file with its place, folders made on the way."""
    target.mkdir(mode=0o700, exist_ok=True)
    with os.scandir(source) as entries:
        for entry in entries:
            to = target / entry.name
            if entry.is_symlink() and source.name == "pg_tblspc":
                beside = target.parent.parent / "tablespaces" / entry.name
                beside.parent.mkdir(mode=0o700, exist_ok=True)
                yield from _files(Path(entry.path).resolve(strict=True), beside)
                to.symlink_to(beside)
            elif entry.is_dir():
                yield from _files(Path(entry.path), to)
            elif entry.is_file():
                yield Path(entry.path), to


def _copy(source: Path, target: Path) -> int:
    with source.open("rb") as of, target.open("xb") as to:
        size = os.fstat(of.fileno()).st_size
        done = 0
        while done < size:
            try:
                count = os.copy_file_range(of.fileno(), to.fileno(), min(_PART, size - done))
            except (AttributeError, OSError) as error:
                if isinstance(error, OSError) and error.errno not in _NOT_HERE:
                    raise OSError(error.errno, error.strerror, str(target)) from None
                return done + _by_hand(of.fileno(), to.fileno())
            if count == 0:
                break  # it became shorter meanwhile
            done += count
        return done


#: What the system says where one file system cannot hand files to another.
_NOT_HERE = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


def _by_hand(of: int, to: int) -> int:
    count = 0
    while part := os.read(of, 1 << 20):
        left = memoryview(part)
        while left:
            left = left[os.write(to, left) :]
        count += len(part)
    return count
