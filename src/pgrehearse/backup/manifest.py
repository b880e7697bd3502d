"""What a base backup says of itself: ``backup_manifest``, ``backup_label``, ``pg_control``."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pgrehearse.backup.copying import no_special_file
from pgrehearse.backup.proof import Refused

__all__ = [
    "NAME",
    "Label",
    "Manifest",
    "label",
    "lsn",
    "manifest",
    "of_another_major",
    "parsed",
    "segments",
    "system_identifier",
]

NAME = "backup_manifest"
_OWN = b'"Manifest-Checksum"'
_TAKE = "take a new one: pgrehearse backup take"
_LSN = re.compile(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}")
_LABEL = re.compile(r"^START WAL LOCATION: ([0-9A-F]+/[0-9A-F]+) ", re.M)
_SINCE = re.compile(r"^INCREMENTAL FROM LSN: ([0-9A-F]+/[0-9A-F]+)", re.M)


@dataclass(frozen=True)
class Manifest:
    """``backup_manifest``. ``bytes``: of all files it lists; ``checksums``: every file has one."""

    digest: str
    system_identifier: str
    timeline: int
    start_lsn: str
    end_lsn: str
    bytes: int
    files: int
    finished: datetime
    checksums: bool


@dataclass(frozen=True)
class Label:
    """``backup_label``. ``since``: where the backup began that an incremental one builds upon; else empty."""

    start_lsn: str
    since: str


def manifest(file: Path) -> Manifest:
    """Raises Refused: it is missing, or not whole."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Refused(
            f"{file.name} cannot be read ({error.strerror}): nothing tells whether the backup is whole", _TAKE
        ) from None
    try:
        data = json.loads(content)
        if data["Manifest-Checksum"] != _checksum(content):
            raise ValueError("its own checksum differs")
        files = data["Files"]
        ranges = sorted(data["WAL-Ranges"], key=lambda one: int(one["Timeline"]))
        times = [one["Last-Modified"] for one in files if "Last-Modified" in one]
        return Manifest(
            hashlib.sha256(content).hexdigest(),
            str(data.get("System-Identifier", "")),
            int(ranges[-1]["Timeline"]),
            _lsn(ranges[0]["Start-LSN"]),
            _lsn(ranges[-1]["End-LSN"]),
            sum(int(one["Size"]) for one in files),
            len(files),
            datetime.strptime(max(times), "%Y-%m-%d %H:%M:%S %Z").replace(tzinfo=UTC),
            all("Checksum" in one for one in files),
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError):
        raise Refused(f"{file.name} is not whole: it was cut or changed", _TAKE) from None


def of_another_major(file: Path, to: Path) -> Path:
    """The same manifest without the system identifier, for a pg_verifybackup of another major.

    Since 17 it looks into ``pg_control`` for that, whose form only its own major knows.
    """
    head, found, rest = file.read_bytes().partition(b'"System-Identifier"')
    if found:
        body = head.replace(b": 2,", b": 1,", 1) + rest.partition(b"\n")[2]
        kept = body[: body.rindex(_OWN)]
        body = kept + _OWN + b': "' + hashlib.sha256(kept).hexdigest().encode() + b'"}\n'
    else:
        body = head
    to.write_bytes(body)
    return to


def _lsn(text: str) -> str:
    if _LSN.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no place in the WAL")
    return text


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content[: content.rindex(_OWN)]).hexdigest()


def label(folder: Path) -> Label | None:
    """``backup_label`` of a plain backup; None: there is none. Raises Refused: it is no file."""
    no_special_file(folder / "backup_label")
    try:
        text = (folder / "backup_label").read_text("utf-8", errors="replace")
    except OSError:
        return None
    return parsed(text)


def parsed(text: str) -> Label:
    """What ``backup_label`` says."""
    start, since = _LABEL.search(text), _SINCE.search(text)
    return Label(start[1] if start else "", since[1] if since else "")


def system_identifier(folder: Path) -> str:
    """From ``pg_control``, where every major has it first; empty where that cannot be read."""
    try:
        with (folder / "global" / "pg_control").open("rb") as file:
            return str(struct.unpack("=Q", file.read(8))[0])
    except (OSError, struct.error):
        return ""


def lsn(text: str) -> int:
    """``"0/2000028"`` as a number of bytes."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def segments(timeline: int, start: str, end: str, size: int) -> Iterator[str]:
    """Names of the WAL files that hold ``start`` to ``end``; ``size`` of one in bytes."""
    each = (1 << 32) // size
    for number in range(lsn(start) // size, (lsn(end) - 1) // size + 1):
        yield f"{timeline:08X}{number // each:08X}{number % each:08X}"
