"""The adapter of pg_basebackup: a plain folder, tar files, or the last of a chain of incremental ones.

An incremental backup says where the one before it began; that one is looked for beside it. pg_verifybackup
of an incremental says nothing of the others, and pg_combinebackup joins damaged ones without a word: so each
of the chain is verified by itself, and what they make once more.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from pgrehearse.backup import manifest as manifests
from pgrehearse.backup import physical, programs, recovery, tar
from pgrehearse.backup.adapter import Adapter, BackupFacts, Copy
from pgrehearse.backup.copying import copied, no_special_file
from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.backup.manifest import Manifest
from pgrehearse.backup.pg_basebackup import take_base_backup
from pgrehearse.backup.proof import Proof, Refused, Unproven
from pgrehearse.backup.room import full, room
from pgrehearse.errors import SetupError
from pgrehearse.servers import given

__all__ = ["BaseBackup"]

_TAKE = "take a new one: pgrehearse backup take"


class BaseBackup(Adapter):
    """A folder that pg_basebackup made."""

    name = "pg_basebackup"
    makes = "a folder of files, tar files, or an incremental backup upon another"
    needs = "pg_basebackup, pg_verifybackup, pg_combinebackup"
    copies = True
    knows: ClassVar[Mapping[str, str]] = {
        "format": "plain or tar; tar where the server has tablespaces, plain elsewhere",
        "incremental": "the folder of the backup that this one builds upon, for `take`, since 17",
        "chain": "where the backups lie that an incremental one builds upon; beside it, unless said",
        "archive": "the folder of the archived WAL, for `until`",
        "until": recovery.UNTIL,
    }

    @classmethod
    def recognizes(cls, place: str) -> bool:
        folder = Path(place)
        return folder.is_dir() and (
            (folder / "PG_VERSION").is_file() or (folder / manifests.NAME).is_file() or bool(tar.base(folder))
        )

    @property
    def folder(self) -> Path:
        return Path(self.place).absolute()

    # --- listed -----------------------------------------------------------------------------------------

    def listed(self, proof: Proof) -> BackupFacts:
        with proof.proving(EvidenceLevel.LISTED, "manifest") as said:
            no_special_file(self.folder)
            found = manifests.manifest(self.folder / manifests.NAME)
            said.append(f"{found.files} files, {found.bytes / (1 << 20):,.0f} MB, until {found.end_lsn}")
        with proof.proving(EvidenceLevel.LISTED, "chain") as said:
            self._chain = self._builds_upon()
            for below in self._chain[:-1]:
                no_special_file(below)
            said.append(
                "a full backup" if len(self._chain) == 1 else " <- ".join(one.name for one in self._chain)
            )
        major = self._major()
        tools = {}
        for program in ("pg_verifybackup", *(("pg_combinebackup",) if len(self._chain) > 1 else ())):
            path = programs.called(program, major)
            if path is not None:
                tools[program] = programs.version(path)[1]
        return BackupFacts(
            self.folder.name,
            found.digest,
            found.finished,
            found.bytes,
            major,
            found.system_identifier or manifests.system_identifier(self.folder),
            found.timeline,
            found.start_lsn,
            found.end_lsn,
            tools,
        )

    def _major(self) -> int:
        """By ``PG_VERSION``; of tar files it is known when they are unpacked."""
        try:
            return int((self.folder / "PG_VERSION").read_text("ascii"))
        except (OSError, ValueError):
            return self.original.target.major

    def _builds_upon(self) -> list[Path]:
        """The full backup, then each incremental one, this last. Raises Refused: one of them is not there."""
        chain = [self.folder]
        where = Path(self.work.options.get("chain") or self.folder.parent)
        own = tar.label(self.folder) if tar.base(self.folder) else manifests.label(self.folder)
        if own is None:
            raise Refused("backup_label is missing: recovery would start at the wrong place", _TAKE)
        while own.since:
            found = [one for one in _beside(where) if one not in chain and _begins(one) == own.since]
            if not found:
                raise Refused(
                    f"{chain[0].name} is incremental; what it builds upon is not in {where}: the one"
                    f" that began at {own.since}",
                    "put it back there, or say where: --option chain=FOLDER; else nothing can be restored",
                )
            chain.insert(0, found[0])
            before = manifests.label(found[0])
            if before is None or len(chain) > 1000:
                raise Refused(f"{found[0].name} has no backup_label", _TAKE)
            own = before
        return chain

    # --- read whole -------------------------------------------------------------------------------------

    def read(self, facts: BackupFacts, proof: Proof) -> None:
        for folder in self._chain:
            where = f"{folder.name}: " if len(self._chain) > 1 else ""
            with proof.proving(EvidenceLevel.READ, "checksums") as said:
                found = manifests.manifest(folder / manifests.NAME)
                if not found.checksums:
                    raise Unproven(
                        f"{where}its manifest holds no checksums, so a changed byte cannot be seen",
                        "take it with checksums: pgrehearse backup take",
                    )
                said.append(where + self._verified(folder, found, facts.major))
            if tar.base(folder):
                with proof.proving(EvidenceLevel.READ, "WAL") as said:
                    said.append(tar.wal(folder, found, self.original.wal_segment))

    def _verified(self, folder: Path, found: Manifest, major: int) -> str:
        """pg_verifybackup of one folder. Another major's tool cannot read the WAL: recovery will."""
        tarred = bool(tar.base(folder))
        program = programs.exact("pg_verifybackup", major) or programs.called("pg_verifybackup", major)
        if tarred:
            program = programs.called("pg_verifybackup", 18)
        if program is None:
            newest = max(major, 18) if tarred else major
            raise Unproven(
                f"no pg_verifybackup of {newest} or later is here",
                "install PostgreSQL's client programs, or name them in PGREHEARSE_BINDIR",
            )
        without_wal = tarred or programs.version(program)[0] != major
        with tempfile.TemporaryDirectory(prefix="pgrehearse-") as scratch:
            command: list[str | Path] = [program, *(["--no-parse-wal"] if without_wal else [])]
            if programs.version(program)[0] != major:
                known = manifests.of_another_major(folder / manifests.NAME, Path(scratch, manifests.NAME))
                command.append(f"--manifest-path={known}")
            done = programs.run(
                [*command, folder], watch=lambda said: self.work.progress("read", 0, found.bytes)
            )
        if done.status != 0:
            raise Refused(f"{folder.name} is damaged: {done.reason}", _TAKE)
        of = programs.version(program)[1]
        return f"{found.files} files agree with their checksums (pg_verifybackup {of})" + (
            "; the WAL is left to recovery" if without_wal and not tarred else ""
        )

    # --- restored ---------------------------------------------------------------------------------------

    @contextmanager
    def restored(self, facts: BackupFacts, proof: Proof) -> Iterator[Copy]:
        with room(self.work.into, facts.bytes + self._wal()) as place:
            with proof.proving(EvidenceLevel.RESTORED, "copied") as said:
                try:
                    said.append(self._copied(place, facts))
                except OSError as error:
                    full(f"{error.strerror}: {error.filename or place}")
                    raise Refused(
                        f"the copy failed: {error.strerror}: {error.filename or place}",
                        "see that the backup is complete and that there is room: --into",
                    ) from None
            facts = replace(facts, major=_version(place / "data", facts.major))
            settings = self._recovered()
            with physical.served(place, facts, self.original, proof, self.work, settings) as copy:
                yield copy

    def _recovered(self) -> Mapping[str, str]:
        """Settings for recovery beyond the backup's own end; none without an archive. Raises SetupError."""
        until, archive = self.work.options.get("until", ""), self.work.options.get("archive")
        if archive is None:
            if until:
                raise SetupError(
                    "until asks for WAL from after the backup", next_step="--option archive=FOLDER"
                )
            return {}
        folder = Path(archive).absolute()
        given.readable(folder)
        fetch = recovery.restore_command(["cp", f"{folder}/"], '%f "%p"')
        return {"restore_command": fetch, **recovery.stop(until, self.original)}

    def _copied(self, place: Path, facts: BackupFacts) -> str:
        data = place / "data"
        if tar.base(self.folder):
            count = tar.unpacked(self.folder, place, self.work)
        elif len(self._chain) > 1:
            return self._combined(place, facts)
        else:
            count = copied(
                self.folder, data, self.work.jobs, lambda done: self.work.progress("copy", done, facts.bytes)
            )
        return f"{count / (1 << 20):,.0f} MB"

    def _combined(self, place: Path, facts: BackupFacts) -> str:
        program = programs.exact("pg_combinebackup", facts.major)
        if program is None:
            raise Refused(
                f"no pg_combinebackup of PostgreSQL {facts.major} is here, and no other can join its backups",
                f"name the programs of PostgreSQL {facts.major} in PGREHEARSE_BINDIR, or take a full backup",
            )
        data = place / "data"
        command: list[str | Path] = [
            program,
            "--no-sync",
            *_mapped(self.folder, place),
            "-o",
            data,
            *self._chain,
        ]
        done = programs.run(command, watch=lambda said: self.work.progress("combine", 0, facts.bytes))
        if done.status != 0:
            raise Refused(f"the chain does not fit together: {done.reason}", _TAKE)
        whole = self._verified(data, manifests.manifest(data / manifests.NAME), facts.major)
        return f"{len(self._chain)} backups combined; {whole}"

    def _wal(self) -> int:
        """Bytes of WAL that lie beside what the manifest lists."""
        return sum(one.stat().st_size for one in self.folder.glob("pg_wal/*") if one.is_file())

    # --- take -------------------------------------------------------------------------------------------

    def take(self) -> None:
        take_base_backup(self.folder, self.original, self.work)


def _beside(where: Path) -> Sequence[Path]:
    return (
        [one for one in sorted(where.iterdir()) if (one / manifests.NAME).is_file()] if where.is_dir() else []
    )


def _begins(folder: Path) -> str:
    found = manifests.label(folder)
    return found.start_lsn if found else ""


def _mapped(folder: Path, place: Path) -> Iterator[str]:
    """Where pg_combinebackup puts tablespaces: into the copy."""
    links = [one for one in (folder / "pg_tblspc").glob("*") if one.is_symlink()]
    for link in links:
        yield f"--tablespace-mapping={link.readlink()}={place / 'tablespaces' / link.name}"


def _version(data: Path, expected: int) -> int:
    try:
        return int((data / "PG_VERSION").read_text("ascii"))
    except (OSError, ValueError):
        return expected
