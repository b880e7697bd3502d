"""The adapter of pg_dump: a custom or tar file, a directory, or a plain script, and its checksums beside it.

A dump says neither which server it is from nor what its bytes were. So `take` leaves ``NAME.sha256`` beside
it, as sha256sum writes and reads it; and the canary shows which database it is of.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from pgrehearse.backup import checksums, loading, programs, tar
from pgrehearse.backup.adapter import Adapter, BackupFacts, Copy, WorkOptions
from pgrehearse.backup.copying import no_special_file
from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.backup.original import Original
from pgrehearse.backup.pg_dump import take_dump
from pgrehearse.backup.physical import asked_by
from pgrehearse.backup.proof import Proof, Refused
from pgrehearse.backup.room import room

__all__ = ["DumpBackup"]

_TAKE = "take a new one: pgrehearse backup take"
_END = b"PostgreSQL database dump complete"
_FROM = re.compile(r"^(?:--|;)\s+Dumped from database version:? (\d+)", re.M)
_BY = re.compile(r"^(?:--|;)\s+Dumped by pg_dump version:? (\d+)", re.M)
#: How files begin that other programs make of a dump.
_PACKED = {
    b"\x1f\x8b": "compressed by gzip",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"\x04\x22\x4d\x18": "compressed by lz4",
    b"\xfd7zXZ": "compressed by xz",
    b"BZh": "compressed by bzip2",
    b"PK\x03\x04": "a zip file",
    b"7z\xbc\xaf": "a 7z file",
    b"-----BEGIN PGP MESSAGE": "encrypted by OpenPGP",
    b"\x8c\x0d\x04": "encrypted by OpenPGP",
    b"\x85\x01\x0c": "encrypted by OpenPGP",
    b"\x85\x02\x0c": "encrypted by OpenPGP",
    b"age-encryption.org/": "encrypted by age",
    b"-----BEGIN AGE ENCRYPTED FILE": "encrypted by age",
    b"Salted__": "encrypted by openssl",
}
_TAIL = 4096  # bytes at the end of a script in which it says that it is complete
_NO_CLIENT = "install PostgreSQL's client programs, or name their directory in PGREHEARSE_BINDIR"


class DumpBackup(Adapter):
    """A file or a folder that pg_dump made."""

    name = "pg_dump"
    makes = "one database as a custom file, a directory or a script"
    needs = "pg_dump, pg_restore, psql"
    knows: ClassVar[Mapping[str, str]] = {"format": "custom, directory or plain; custom, unless said"}

    @classmethod
    def recognizes(cls, place: str) -> bool:
        return _form(Path(place)) is not None or bool(_packed(Path(place)))

    def __init__(self, place: str, original: Original, work: WorkOptions) -> None:
        super().__init__(place, original, work)
        self._said = ""  # by pg_dump, at the beginning

    @property
    def path(self) -> Path:
        return Path(self.place).absolute()

    # --- listed -----------------------------------------------------------------------------------------

    def listed(self, proof: Proof) -> BackupFacts:
        with proof.proving(EvidenceLevel.LISTED, "dump") as said:
            if not self.path.exists():
                raise Refused(f"{self.place} is not there", "check the path")
            no_special_file(self.path)
            form = _form(self.path)
            if form is None:
                if packed := _packed(self.path):
                    raise Refused(packed, "unpack it, and verify what comes out of it")
                empty = self.path.is_file() and self.path.stat().st_size == 0
                raise Refused("it is empty" if empty else "it is no dump that pg_dump made", _TAKE)
            self._form = form
            if form == "plain":
                self._said = _head(self.path).decode("utf-8", "replace")
                _complete(self.path)
                said.append("a script, with its last line")
            else:
                said.append(self._contents())
        digest = checksums.of(self.path)
        self._digest = digest
        return BackupFacts(
            self.path.name,
            digest,
            datetime.fromtimestamp(self.path.stat().st_mtime, UTC),
            checksums.size(self.path),
            _number(_FROM, self._said),
            tools={"pg_restore": programs.version(self._program("pg_restore"))[1]},
        )

    def _contents(self) -> str:
        """Of the table of contents only: it is whole in a file that was cut in half."""
        with tempfile.TemporaryFile() as listed:
            done = programs.run([self._program("pg_restore"), "--list", self.path], out=listed)
            if done.status != 0:
                raise Refused(f"its contents cannot be listed: {done.reason}", _TAKE)
            listed.seek(0)
            self._said = listed.read(4096).decode("utf-8", "replace")
            listed.seek(0)
            entries = sum(not line.startswith((b";", b"\n")) for line in listed)
        return f"{self._form}, {entries} entries"

    # --- read whole -------------------------------------------------------------------------------------

    def read(self, facts: BackupFacts, proof: Proof) -> None:
        if self._form != "plain":
            with proof.proving(EvidenceLevel.READ, "readable") as said:
                done = programs.run(
                    [self._program("pg_restore"), "--file=/dev/null", self.path],
                    watch=lambda _: self.work.progress("read", 0, facts.bytes),
                )
                if done.status != 0:
                    raise Refused(f"it is cut or damaged: {done.reason}", _TAKE)
                if self._form == "tar":
                    said.append(tar.whole(self.path))
                said.append("every entry was read to its end")
        with proof.proving(EvidenceLevel.READ, "checksums") as said:
            said.append(checksums.compared(self.path, self._digest))

    # --- restored ---------------------------------------------------------------------------------------

    @contextmanager
    def restored(self, facts: BackupFacts, proof: Proof) -> Iterator[Copy]:
        own = self.original.target.major
        # What a newer pg_dump writes, and a newer pg_restore says, an older server does not know.
        loader = (
            self._program("psql") if self._form == "plain" else self._program("pg_restore", self._least())
        )
        major = max(
            own, _number(_BY, self._said), 0 if self._form == "plain" else programs.version(loader)[0]
        )
        # Unpacked rows and their indexes: what the original takes, and the WAL of writing them.
        with (
            room(self.work.into, self.original.database_bytes * 3 // 2) as place,
            loading.server(place, self.original, major, self.work) as server,
        ):
            with proof.proving(EvidenceLevel.RESTORED, "loaded") as said:
                load = loading.script if self._form == "plain" else loading.archive
                # pg_restore reads a tar file by one process only, and says so as an error.
                work = replace(self.work, jobs=1) if self._form == "tar" else self.work
                said.append(load(self.path, loader, server, self.original.database, work))
                if major != own:
                    said.append(f"into PostgreSQL {major}: no programs of {own} are here")
                said.append("owners, privileges and what needs a superuser are not restored")
            yield Copy(lambda name: asked_by(server.watching, name), physical=False)

    # --- take -------------------------------------------------------------------------------------------

    def take(self) -> None:
        take_dump(self.path, self.original, self.work)

    def _least(self) -> int:
        """The major that pg_restore has at least: it reads no archive of a newer pg_dump."""
        return max(self.original.target.major, _number(_BY, self._said))

    def _program(self, name: str, major: int = 0) -> Path:
        """Of ``major`` or the next that is here; the newest, unless said. Raises Refused: there is none."""
        program = programs.called(name, major)
        if program is None:
            raise Refused(f"no {name} of PostgreSQL {major} or later is here", _NO_CLIENT)
        return program


def _form(path: Path) -> str | None:
    """By the first bytes; None: it is no dump."""
    if path.is_dir():
        return "directory" if (path / "toc.dat").is_file() else None
    head = _head(path)
    if head.startswith(b"PGDMP"):
        return "custom"
    if head.startswith(b"toc.dat\0"):
        return "tar"
    return "plain" if b"PostgreSQL database dump" in head else None


def _packed(path: Path) -> str:
    """By what program somebody packed or encrypted what may be a dump; empty: by none that is known."""
    head = _head(path)
    return next((f"it is {said}" for begin, said in _PACKED.items() if head.startswith(begin)), "")


def _head(path: Path) -> bytes:
    """Its first bytes; none of what is no file, such as a FIFO, on which one would wait for ever."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                return file.read(4096)
    except OSError:
        pass
    return b""


def _number(what: re.Pattern[str], said: str) -> int:
    """A major, by what pg_dump wrote first; 0 where it did not."""
    found = what.search(said)
    return int(found[1]) if found else 0


def _complete(path: Path) -> None:
    """psql of half a script ends with status 0, even told to stop at errors."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        if _END not in file.read():
            raise Refused("the script is cut: its last line, which says that it is whole, is missing", _TAKE)
