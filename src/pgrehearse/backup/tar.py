"""Tar files: of a base backup one, each tablespace one, and the WAL, maybe compressed; a dump as one file."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from shutil import which
from typing import IO

from pgrehearse.backup import manifest as manifests
from pgrehearse.backup.adapter import WorkOptions
from pgrehearse.backup.manifest import Label, Manifest
from pgrehearse.backup.proof import Refused, Unproven

__all__ = ["base", "label", "unpacked", "wal", "whole"]

_TAKE = "take a new one: pgrehearse backup take"
_ENDS = {"": "r|", ".gz": "r|gz", ".lz4": "lz4", ".zst": "zstd"}
_END = 1024  # zero bytes that end a tar file
_SEGMENT = re.compile(r"[0-9A-F]{24}")


def base(folder: Path) -> Path | None:
    """``base.tar``, compressed or not; None: this is no backup of tar files."""
    return _named(folder, "base")


def label(folder: Path) -> Label | None:
    """``backup_label`` inside ``base.tar``, where it comes first."""
    archive = base(folder)
    assert archive is not None
    with _opened(archive) as tar:
        for number, member in enumerate(tar):
            if member.name.removeprefix("./") == "backup_label":
                file = tar.extractfile(member)
                return manifests.parsed(file.read().decode("utf-8", "replace")) if file else None
            if number > 8:
                break
    return None


def wal(folder: Path, found: Manifest, segment: int) -> str:
    """Which WAL there is. pg_verifybackup does not look at it, and is content where all of it is gone.

    ``segment``: bytes of a WAL file.
    """
    archive = _named(folder, "pg_wal")
    names = set(_names(archive)) if archive else set()
    held = {name for name in names if _SEGMENT.fullmatch(name)}
    if archive is None:
        held = {PurePosixPath(name).name for name in _names(base(folder)) if name.startswith("pg_wal/")}
        held = {name for name in held if _SEGMENT.fullmatch(name)}
    if not held:
        raise Refused("there is no WAL: pg_wal.tar is missing or empty, so it cannot be restored", _TAKE)
    wanted = manifests.segments(found.timeline, found.start_lsn, found.end_lsn, segment)
    gone = next((one for one in wanted if one not in held), "")
    if gone:
        raise Refused(f"WAL is missing: {gone}", _TAKE)
    return f"{len(held)} WAL files are there; what is in them is left to recovery"


def whole(archive: Path) -> str:
    """Read the dump ``archive`` to its end. Raises Refused: it was cut, which pg_restore does not see."""
    try:
        with tarfile.open(archive, "r:") as tar:
            names = tar.getnames()
        with archive.open("rb") as file:
            file.seek(-_END, os.SEEK_END)
            if any(file.read()):
                raise EOFError("its last blocks are missing")
    except (tarfile.TarError, EOFError) as error:
        raise Refused(f"it is cut or damaged: {error}", _TAKE) from None
    return f"{len(names)} files, to the end"


def unpacked(folder: Path, place: Path, work: WorkOptions) -> int:
    """Unpack all of them into ``place/data`` and ``place/tablespaces``; the bytes that it took.

    Raises Refused: one is cut, damaged or holds a path that leads elsewhere.
    """
    data = place / "data"
    data.mkdir(mode=0o700)
    total = 0

    def count(size: int) -> None:
        nonlocal total
        total += size
        work.progress("unpack", total, 0)

    archive = base(folder)
    assert archive is not None
    _unpack(archive, data, count)
    (data / "pg_wal").mkdir(exist_ok=True)
    if (packed := _named(folder, "pg_wal")) is not None:
        _unpack(packed, data / "pg_wal", count)
    for oid in _tablespaces(data):
        of = _named(folder, oid)
        if of is None:
            raise Refused(f"the tablespace {oid} is missing: there is no {oid}.tar", _TAKE)
        beside = place / "tablespaces" / oid
        beside.mkdir(mode=0o700, parents=True)
        _unpack(of, beside, count)
        (data / "pg_tblspc").mkdir(exist_ok=True)
        (data / "pg_tblspc" / oid).symlink_to(beside)
    return total


def _tablespaces(data: Path) -> list[str]:
    """By ``tablespace_map``, which the server would follow to where the original has them."""
    file = data / "tablespace_map"
    lines = file.read_text("utf-8", errors="replace").splitlines() if file.is_file() else []
    return [line.split(" ", 1)[0] for line in lines if line.split(" ", 1)[0].isdigit()]


def _unpack(archive: Path, target: Path, count: Callable[[int], None]) -> None:
    with _opened(archive) as tar:
        for member in tar:
            if not (member.isfile() or member.isdir()):
                if member.issym() and PurePosixPath(member.name).parent.name == "pg_tblspc":
                    continue  # made anew, inside the copy
                raise Refused(f"{archive.name} holds {member.name!r}, which is no file", _TAKE)
            try:
                tar.extract(member, target, filter="data")
            except tarfile.FilterError as error:
                raise Refused(f"{archive.name} is refused: {error}", _TAKE) from None
            count(member.size)


def _names(archive: Path | None) -> list[str]:
    if archive is None:
        return []
    with _opened(archive) as tar:
        return [member.name.removeprefix("./") for member in tar]


def _named(folder: Path, stem: str) -> Path | None:
    for end in _ENDS:
        found = folder / f"{stem}.tar{end}"
        if found.is_file():
            return found
    return None


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    """The archive as a stream. Raises Refused: it is cut or damaged."""
    form = _ENDS["" if archive.suffix == ".tar" else archive.suffix]
    try:
        if form.startswith("r|"):
            with tarfile.open(archive, form) as tar:  # type: ignore[call-overload]
                yield tar
        else:
            with _decompressed(archive, form) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
                yield tar
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise Refused(f"{archive.name} is cut or damaged: {error}", _TAKE) from None


@contextmanager
def _decompressed(archive: Path, program: str) -> Iterator[IO[bytes]]:
    path = which(program)
    if path is None:
        raise Unproven(
            f"{archive.name} cannot be read: the program {program} is not here", f"install {program}"
        )
    with subprocess.Popen(
        [path, "-dc", archive], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout
            process.stdout.read()  # to its end, where the program checks its sums
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise ValueError(f"{program} ended with status {process.returncode}")
