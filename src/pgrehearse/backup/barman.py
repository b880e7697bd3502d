"""The adapter of Barman, which is called and never imported: its licence is the GPL.

Measured (3.19): ``verify-backup`` and ``check`` exit 0 when a backup's WAL is gone, so does ``check-backup``
when all later WAL is gone too. So the WAL is read here, file by file, and the copy is asked.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from pgrehearse.backup import manifest as manifests
from pgrehearse.backup import physical, programs, recovery
from pgrehearse.backup.adapter import Adapter, BackupFacts, Copy
from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.backup.manifest import segments
from pgrehearse.backup.proof import Proof, Refused, Unproven
from pgrehearse.backup.room import room
from pgrehearse.errors import SetupError

__all__ = ["Barman"]

_TAKE = "take a new one: pgrehearse backup take SERVER --adapter barman"
_LOOK = "look at it: barman list-backups SERVER"


class Barman(Adapter):
    """``place`` is SERVER, for its newest backup, or SERVER/BACKUP_ID."""

    name = "barman"
    makes = "SERVER, its newest backup, or SERVER/BACKUP_ID: full or incremental, with the archive of its WAL"
    needs = "barman, and what that calls: rsync, pg_verifybackup"
    knows: ClassVar[Mapping[str, str]] = {
        "config": "its configuration file; its own default, unless said",
        "program": "the program; barman on PATH, unless said",
        "until": recovery.UNTIL,
    }

    # --- the program ------------------------------------------------------------------------------------

    def _words(self, *words: str | Path) -> list[str]:
        named = self.work.options.get("program", "barman")
        found = shutil.which(named)
        if found is None:
            raise SetupError(
                f"no program {named} is here",
                next_step="install Barman, or name its program: --option program=PATH",
            )
        config = self.work.options.get("config")
        return [found, *(["-c", str(Path(config).absolute())] if config else []), *map(str, words)]

    def _run(self, what: str, *words: str | Path) -> programs.Ended:
        return programs.run(
            self._words(*words), watch=lambda _: self.work.progress(what, 0, 0), as_server=True
        )

    @property
    def server(self) -> str:
        return self.place.partition("/")[0]

    # --- listed -----------------------------------------------------------------------------------------

    def listed(self, proof: Proof) -> BackupFacts:
        with proof.proving(EvidenceLevel.LISTED, "manifest") as said:
            found = self._shown(self.place.partition("/")[2] or "latest")
            if found["status"] != "DONE":
                raise Refused(f"Barman calls the backup {found['backup_id']} {found['status']}", _LOOK)
            base = found["base_backup_information"]
            size = base["backup_size_bytes"] / (1 << 20)
            said.append(f"{found['backup_id']}, {size:,.0f} MB, until {base['end_lsn']}")
        with proof.proving(EvidenceLevel.LISTED, "chain") as said:
            self._chain = self._builds_upon(found)
            said.append("a full backup" if len(self._chain) == 1 else " <- ".join(self._chain))
        self._begin = base["begin_wal"]
        digest, end = self._identity(found)
        return BackupFacts(
            f"{self.server}/{found['backup_id']}",
            digest,
            datetime.fromisoformat(base["end_time"]),
            base["backup_size_bytes"],
            found["postgresql_version"] // 10000,
            str(found["system_id"]),
            base["timeline"],
            base["begin_lsn"],
            end,
            {"barman": self._run("barman", "--version").out.partition(" ")[0]},
        )

    def _identity(self, found: Any) -> tuple[str, str]:
        """A digest, and where it ends. Barman rounds that up to the end of a WAL file; a manifest knows."""
        file = next(
            (one for one in self._files("data", found["backup_id"]) if one.name == manifests.NAME), None
        )
        if file is not None:
            manifest = manifests.manifest(file)
            return manifest.digest, manifest.end_lsn
        base = found["base_backup_information"]
        named = {name: base[name] for name in ("begin_lsn", "end_lsn", "end_time", "backup_size_bytes")}
        text = json.dumps([found["system_id"], found["backup_id"], named], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest(), base["end_lsn"]

    def _files(self, target: str, backup: str) -> list[Path]:
        """Files of a backup. Barman lists WAL files by its own list: some may be gone."""
        words = self._words("list-files", "--target", target, self.server, backup)
        return [Path(line) for line in programs.printed(words, as_server=True).out.splitlines()]

    def _shown(self, backup: str) -> Any:
        """What it knows of one. Raises Refused: there is none."""
        done = self._run("barman show-backup", "-f", "json", "show-backup", self.server, backup)
        try:
            found = json.loads(done.out)
        except ValueError:
            raise Refused(f"barman show-backup failed: {done.reason}", _LOOK) from None
        if self.server not in found:
            raise Refused("; ".join(found.get("_ERROR", ["Barman shows no backup"])), _LOOK)
        return found[self.server]

    def _builds_upon(self, found: Any) -> list[str]:
        """The full one first. Raises Refused: one of them is gone."""
        chain = [found["backup_id"]]
        while parent := found["catalog_information"].get("parent_backup_id"):
            found = self._shown(parent)
            chain.insert(0, parent)
        return chain

    # --- read whole -------------------------------------------------------------------------------------

    def read(self, facts: BackupFacts, proof: Proof) -> None:
        with proof.proving(EvidenceLevel.READ, "checksums") as said:
            for backup in self._chain:
                self._verified(backup)
            said.append(
                f"every file of {', '.join(self._chain)} agrees with its checksum (barman verify-backup)"
            )
        with proof.proving(EvidenceLevel.READ, "WAL") as said:
            said.append(self._archived(facts))

    def _verified(self, backup: str) -> None:
        done = self._run("barman verify-backup", "verify-backup", self.server, backup)
        text = f"{done.out}\n{done.said}"
        if done.status == 0 and "backup successfully verified" in text:
            return
        if "manifest" in text and "does not exist" in text:
            raise Unproven(
                f"{backup} has no manifest, so a changed byte cannot be seen",
                f"barman generate-manifest {self.server} {backup}, right after it was taken",
            )
        _, sign, reason = text.partition("pg_verifybackup: error: ")
        raise Refused(f"{backup} is damaged: {reason.splitlines()[0] if sign else done.reason}", _TAKE)

    def _archived(self, facts: BackupFacts) -> str:
        """Read each WAL file the backup needs; look whether later ones are without a gap."""
        assert facts.timeline is not None
        size = self.original.wal_segment
        needed = list(segments(facts.timeline, facts.start_lsn, facts.end_lsn, size))
        for name in needed:
            with tempfile.TemporaryFile() as content:
                done = programs.run(self._words("get-wal", self.server, name), out=content, as_server=True)
                if done.status != 0 or not content.tell():
                    raise Refused(
                        f"the WAL file {name} is not in Barman's archive: the backup cannot be started", _TAKE
                    )
                if content.tell() != size:
                    raise Refused(
                        f"the WAL file {name} is not whole: {content.tell()} of {size} bytes", _TAKE
                    )
        files = self._files("wal", facts.backup.partition("/")[2])
        names = {one.name[:24] for one in files if one.exists() or not one.is_absolute()} | set(needed)
        found = recovery.gap(names, facts.timeline, self._begin, size)
        if found is not None:
            raise Unproven(
                f"the WAL file {found[0]} is not in the archive, {found[1]} is: a restore ends before it",
                f"what was written since cannot be restored; {_TAKE}",
            )
        return f"{len(needed)} of the backup read; no gap to the last that is archived"

    # --- restored ---------------------------------------------------------------------------------------

    @contextmanager
    def restored(self, facts: BackupFacts, proof: Proof) -> Iterator[Copy]:
        until = recovery.stop(self.work.options.get("until", ""), self.original)
        with room(self.work.into, facts.bytes + 8 * self.original.wal_segment) as place:
            data = place / "data"
            with proof.proving(EvidenceLevel.RESTORED, "copied") as said:
                found = self._shown(facts.backup.partition("/")[2])
                spaces = [
                    f"{one['name']}:{place / 'tablespaces' / one['name']}"
                    for one in found["tablespaces"] or []
                ]
                done = self._run(
                    "barman restore",
                    "restore",
                    "--no-get-wal",
                    *_wal_for(until),
                    *(word for one in spaces for word in ("--tablespace", one)),
                    self.server,
                    found["backup_id"],
                    data,
                )
                if done.status != 0 or not (data / "PG_VERSION").is_file():
                    raise Refused(
                        f"the restore failed: {done.reason}",
                        "read it by hand: barman restore; it needs rsync",
                    )
                said.append(f"{facts.bytes / (1 << 20):,.0f} MB by barman restore")
            fetch = {"restore_command": recovery.restore_command(["cp", f"{data}/barman_wal/"], '%f "%p"')}
            with physical.served(place, facts, self.original, proof, self.work, {**fetch, **until}) as copy:
                yield copy

    # --- take -------------------------------------------------------------------------------------------

    def take(self) -> None:
        done = self._run("barman backup", "backup", "--wait", self.server)
        if done.status != 0:
            raise SetupError(
                f"barman backup failed: {done.reason}", next_step=f"run barman check {self.server} by hand"
            )
        if (state := self._shown("latest")["status"]) != "DONE":
            raise SetupError(
                f"Barman calls the backup {state}", next_step=f"run barman check {self.server} by hand"
            )


def _wal_for(until: Mapping[str, str]) -> list[str]:
    """Which WAL Barman is to bring: its own words for where recovery stops."""
    if "recovery_target" in until:
        return ["--target-immediate"]
    kind = next((name for name in until if name.startswith("recovery_target_") and name.count("_") == 2), "")
    kind = kind.removeprefix("recovery_target_")
    if kind in ("", "timeline", "inclusive"):
        return []
    return [
        f"--target-{kind}",
        until[f"recovery_target_{kind}"],
        *(["--exclusive"] if kind != "name" else []),
    ]
