"""The adapter of pgBackRest: a backup of a stanza, and the archive of its WAL.

Its exit statuses were measured (2.45 and 2.60): ``verify`` exits 0 on a damaged or missing file and says
nothing unless asked for text; ``info`` exits 0 and is ok though WAL is missing; ``backup`` exits 0 of pages
with wrong checksums. So the words are read, the WAL is counted, and the copy is asked.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from pgrehearse.backup import physical, programs, recovery
from pgrehearse.backup.adapter import Adapter, BackupFacts, Copy
from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.backup.proof import Proof, Refused, Unproven
from pgrehearse.backup.room import room
from pgrehearse.errors import SetupError
from pgrehearse.text.characters import visible

__all__ = ["PgBackRest"]

_TAKE = "take a new one: pgrehearse backup take STANZA --adapter pgbackrest --option type=full"
_LOOK = "look at the stanza: pgbackrest --stanza=STANZA info"
_VERIFIED = re.compile(r"^  backup: (\S+), status: ([^,\n]+).*(?:\n {4}(.*))?$", re.M)
_ARCHIVE = re.compile(r"^  archiveId: (\S+),.*\n(.*)$", re.M)
_SEGMENT = re.compile(r"/([0-9A-F]{24})-[0-9a-f]{40}")  # and no history of a backup, which has its name
_COUNTED = re.compile(r"([a-z][a-z ]*): (\d+)")


class PgBackRest(Adapter):
    """``place`` is STANZA, for its newest backup, or STANZA/LABEL."""

    name = "pgbackrest"
    makes = "STANZA, its newest backup, or STANZA/LABEL: any type, with the archive of its WAL"
    needs = "pgbackrest"
    knows: ClassVar[Mapping[str, str]] = {
        "config": "its configuration file; its own default, unless said",
        "program": "the program; pgbackrest on PATH, unless said",
        "repo": "number of the repository; 1, unless said",
        "type": "full, diff or incr, for `take`; incr, unless said",
        "until": recovery.UNTIL,
    }

    # --- the program ------------------------------------------------------------------------------------

    @property
    def _program(self) -> str:
        named = self.work.options.get("program", "pgbackrest")
        found = shutil.which(named)
        if found is None:
            raise SetupError(
                f"no program {named} is here",
                next_step="install pgBackRest, or name its program: --option program=PATH",
            )
        return found

    def _words(self, *words: str) -> list[str]:
        """What every call begins with. Only errors go to the console, nothing to the original's logs."""
        config = self.work.options.get("config")
        repo = self.work.options.get("repo", "1")
        return [
            self._program,
            *([f"--config={Path(config).absolute()}"] if config else []),
            f"--stanza={self.stanza}",
            f"--repo={repo}",
            "--log-level-console=error",
            "--log-level-file=off",
            *words,
        ]

    def _printed(self, *words: str) -> str:
        """What it prints. Raises SetupError."""
        done = programs.printed(
            self._words(*words),
            watch=lambda _: self.work.progress(f"pgbackrest {words[-1]}", 0, 0),
            as_server=True,
        )
        if done.status != 0:
            raise _failed(done)
        return done.out

    def _asked(self, *words: str) -> Any:
        """What it prints as JSON. Raises SetupError."""
        text = self._printed("--output=json", *words)
        try:
            return json.loads(text, strict=False)
        except ValueError:  # it quotes what it could not read, as it is
            said = visible(text.partition('"message":"')[2] or text)[:300]
            raise SetupError(f"pgbackrest prints no JSON: {said or 'nothing'}", next_step=_LOOK) from None

    @property
    def stanza(self) -> str:
        return self.place.partition("/")[0]

    # --- listed -----------------------------------------------------------------------------------------

    def listed(self, proof: Proof) -> BackupFacts:
        with proof.proving(EvidenceLevel.LISTED, "manifest") as said:
            stanza = self._stanza()
            backups = {one["label"]: one for one in stanza["backup"]}
            label = self.place.partition("/")[2] or max(backups, key=lambda one: _stopped(backups[one]))
            backup = backups.get(label)
            if backup is None:
                raise Refused(f"the stanza {self.stanza} has no backup {label}", _LOOK)
            if backup["error"]:
                raise Refused(
                    f"{label} holds pages with wrong checksums: the server itself is damaged",
                    "look at the server's log and its disk; an older backup may still be good",
                )
            said.append(
                f"{label}, {backup['info']['size'] / (1 << 20):,.0f} MB, until {backup['lsn']['stop']}"
            )
        with proof.proving(EvidenceLevel.LISTED, "chain") as said:
            upon = backup["reference"] or []
            for one in upon:
                if one not in backups:
                    raise Refused(f"{label} builds upon {one}, which is gone", _TAKE)
            said.append(f"upon {', '.join(upon)}" if upon else "a full backup")
        of = next(one for one in stanza["db"] if one["id"] == backup["database"]["id"])
        self._chain = [*upon, label]
        self._archive = f"{of['version']}-{of['id']}"
        self.wal = backup["archive"]
        digest = json.dumps([of["system-id"], backup], sort_keys=True)
        return BackupFacts(
            f"{self.stanza}/{label}",
            hashlib.sha256(digest.encode()).hexdigest(),
            datetime.fromtimestamp(_stopped(backup), UTC),
            backup["info"]["size"],
            int(of["version"].partition(".")[0]),
            str(of["system-id"]),
            int(backup["archive"]["stop"][:8], 16),
            backup["lsn"]["start"],
            backup["lsn"]["stop"],
            {"pgbackrest": self._version()},
        )

    def _stanza(self) -> Any:
        """Its part of ``info``, which exits 0 of a stanza that is not there."""
        found = next((one for one in self._asked("info") if one["name"] == self.stanza), None)
        if found is None or found["status"]["code"] != 0 or not found["backup"]:
            why = found["repo"][0]["status"]["message"] if found else "missing"
            raise Refused(f"the stanza {self.stanza} has no backup: {why}", _LOOK)
        return found

    def _version(self) -> str:
        return programs.run([self._program, "version"], as_server=True).out.removeprefix("pgBackRest").strip()

    # --- read whole -------------------------------------------------------------------------------------

    def read(self, facts: BackupFacts, proof: Proof) -> None:
        with proof.proving(EvidenceLevel.READ, "checksums") as said:
            self._judge(
                self._printed("--output=text", "--verbose", f"--process-max={self.work.jobs}", "verify")
            )
            said.append(f"every file of {', '.join(self._chain)} agrees with its checksum")
        with proof.proving(EvidenceLevel.READ, "WAL") as said:
            said.append(self._archived(facts))

    def _judge(self, text: str) -> None:
        """Read what ``verify`` says of ours; other backups of the stanza may be as they like."""
        found = {label: (status, counts) for label, status, counts in _VERIFIED.findall(text)}
        for label in self._chain:
            status, counts = found.get(label, ("missing", ""))
            if status != "valid":
                raise Refused(f"{label} is damaged: {_counted(counts) or status}", _TAKE)
        archives = dict(_ARCHIVE.findall(text))
        if self._archive not in archives:
            raise Refused(f"verify says nothing of the archive {self._archive}", _LOOK)
        if wrong := _counted(archives[self._archive]):
            raise Refused(f"the archived WAL is damaged: {wrong}", _TAKE)

    def _archived(self, facts: BackupFacts) -> str:
        """Whether WAL is missing: from the beginning of the backup to the last there is."""
        files = self._asked("repo-ls", "--recurse", f"archive/{self.stanza}/{self._archive}")
        names = {match[1] for match in map(_SEGMENT.search, files) if match}
        assert facts.timeline is not None
        first, stop = self.wal["start"], self.wal["stop"]
        if stop not in names:
            raise Refused(f"the WAL file {stop} is not in the archive: the backup cannot be started", _TAKE)
        lacking = recovery.gap(names, facts.timeline, first, self.original.wal_segment)
        if lacking is None:
            return f"no gap from {first} to the last that is archived"
        missing, last = lacking
        if missing <= stop:
            raise Refused(
                f"the WAL file {missing} is not in the archive: the backup cannot be started", _TAKE
            )
        raise Unproven(
            f"the WAL file {missing} is not in the archive, {last} is: a restore ends before it, silently",
            f"what was written since cannot be restored; {_TAKE}",
        )

    # --- restored ---------------------------------------------------------------------------------------

    @contextmanager
    def restored(self, facts: BackupFacts, proof: Proof) -> Iterator[Copy]:
        until = recovery.stop(self.work.options.get("until", ""), self.original)
        with room(self.work.into, facts.bytes + 8 * self.original.wal_segment) as place:
            with proof.proving(EvidenceLevel.RESTORED, "copied") as said:
                done = programs.run(
                    self._words(*_nothing_of_the_original(place, facts, self.work.jobs), "restore"),
                    watch=lambda _: self.work.progress("pgbackrest restore", 0, facts.bytes),
                    as_server=True,
                )
                if done.status != 0:
                    raise Refused(f"the restore failed: {done.reason}", _TAKE)
                said.append(f"{facts.bytes / (1 << 20):,.0f} MB by pgbackrest restore")
            get = self._words(f"--pg1-path={place / 'data'}", f"--lock-path={place}", "--no-archive-async")
            fetch = {"restore_command": recovery.restore_command(get, ' archive-get %f "%p"')}
            with physical.served(place, facts, self.original, proof, self.work, {**fetch, **until}) as copy:
                yield copy

    # --- take -------------------------------------------------------------------------------------------

    def take(self) -> None:
        if "/" in self.place:
            raise SetupError(f"{self.place} names a backup", next_step=f"name the stanza: {self.stanza}")
        done = programs.run(
            self._words(f"--type={self.work.options.get('type', 'incr')}", "--start-fast", "backup"),
            watch=lambda _: self.work.progress("pgbackrest backup", 0, self.original.bytes),
            as_server=True,
        )
        if done.status != 0:
            raise _failed(done)
        newest = max(self._stanza()["backup"], key=_stopped)
        if newest["error"]:
            raise SetupError(
                f"{newest['label']} was taken, but pages of the server have wrong checksums",
                next_step="look at the server's log and its disk; an older backup may still be good",
            )


def _nothing_of_the_original(place: Path, facts: BackupFacts, jobs: int) -> list[str]:
    """Options that keep a restore in ``place``, whatever the configuration maps elsewhere."""
    label = facts.backup.partition("/")[2]
    return [
        f"--set={label}",
        "--type=none",
        "--archive-mode=off",
        f"--pg1-path={place / 'data'}",
        "--reset-pg1-host",
        "--no-delta",
        "--no-link-all",
        "--reset-link-map",
        "--reset-tablespace-map",
        f"--tablespace-map-all={place / 'tablespaces'}",
        "--reset-db-include",
        "--reset-db-exclude",
        "--reset-recovery-option",
        f"--lock-path={place}",
        f"--process-max={jobs}",
    ]


def _stopped(backup: Mapping[str, Any]) -> int:
    return int(backup["timestamp"]["stop"])


def _counted(line: str) -> str:
    """What is not 0: ``"checksum invalid: 1"``; empty where all is."""
    return ", ".join(f"{what.strip()}: {count}" for what, count in _COUNTED.findall(line) if count != "0")


def _failed(done: programs.Ended) -> SetupError:
    return SetupError(
        f"pgbackrest failed: {done.reason}",
        next_step="run pgbackrest check by hand, as the account that owns the repository",
    )
