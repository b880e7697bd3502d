"""pg_basebackup: called, watched, and nothing left of it that could be taken for a backup."""

from __future__ import annotations

import re
from pathlib import Path

from pgrehearse.backup import manifest as manifests
from pgrehearse.backup import programs
from pgrehearse.backup.adapter import WorkOptions
from pgrehearse.backup.original import Original
from pgrehearse.backup.room import outside
from pgrehearse.errors import SetupError
from pgrehearse.replacing import replaced

__all__ = ["take_base_backup"]

_PROGRESS = re.compile(r"(\d+)/(\d+) kB")
_RIGHTS = re.compile(r"must be superuser or replication role|permission denied to start WAL sender")


def take_base_backup(folder: Path, original: Original, work: WorkOptions) -> None:
    """Take one into the new ``folder``. Raises SetupError."""
    major = original.target.major
    program = programs.called("pg_basebackup", major)
    if program is None:
        raise SetupError(
            f"no pg_basebackup of PostgreSQL {major} or later is here",
            next_step="install PostgreSQL's client programs, or name their directory in PGREHEARSE_BINDIR",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SetupError("this is there already", path=folder, next_step="name a new folder for each backup")
    outside(folder.parent)
    form = work.options.get("format", "tar" if original.tablespaces else "plain")
    if form not in ("plain", "tar"):
        raise SetupError(f"the format is plain or tar, not {form!r}", next_step="--option format=tar")
    if form == "plain" and original.tablespaces:
        raise SetupError(
            "this server has tablespaces, and a plain backup would need a folder for each",
            next_step="leave out --option format=plain: tar holds them all",
        )
    command: list[str | Path] = [
        program,
        "--no-password",
        "--checkpoint=fast",
        "--wal-method=stream",
        f"--format={form}",
        "--progress",
        "--manifest-checksums=CRC32C",
        f"--label=pgrehearse {folder.name}",
    ]
    if before := work.options.get("incremental"):
        command.append(f"--incremental={_manifest(Path(before).absolute())}")
    with replaced(folder, manifests.NAME) as draft:
        done = programs.run(
            [*command, "-D", draft],
            settings=original.settings,
            watch=lambda said: _told(said, work),
        )
        if done.status != 0:
            raise _failed(done, original)


def _manifest(before: Path) -> Path:
    file = before / manifests.NAME
    if not file.is_file():
        raise SetupError(
            f"there is no {manifests.NAME}, so nothing can build upon it",
            path=before,
            next_step="name the folder of the full backup, or of the last incremental one",
        )
    return file


def _told(said: str, work: WorkOptions) -> None:
    found = _PROGRESS.findall(said)
    if found:
        done, total = found[-1]
        work.progress("pg_basebackup", int(done) << 10, int(total) << 10)


def _failed(done: programs.Ended, original: Original) -> SetupError:
    reason = done.reason
    if _RIGHTS.search(done.said):
        user = original.target.user
        return SetupError(
            f"{user} may not take a base backup: that needs REPLICATION, which owning a database is not",
            next_step=f"a superuser says: ALTER ROLE {user} REPLICATION; or take a dump: --adapter pg_dump",
        )
    if "no pg_hba.conf entry for replication" in done.said:
        return SetupError(
            "pg_hba.conf of the server lets nobody replicate from here",
            next_step="add a line for the database `replication`, reload; or take a dump: --adapter pg_dump",
        )
    if "not progressing" in done.said:
        return SetupError(
            f"no incremental backup: {reason}",
            next_step="the server's WAL summarizer is behind or stopped: look at its log, then take it again",
        )
    if "summariz" in done.said:
        return SetupError(
            f"no incremental backup: {reason}",
            next_step="set summarize_wal = on, reload, and take a full backup first",
        )
    if "checksum" in done.said:
        return SetupError(
            f"a page of the server itself is damaged: {reason}",
            next_step="look at its log and its disk; restore an older backup, which may still be good",
        )
    return SetupError(f"pg_basebackup failed: {reason}", next_step="look at the server's log")
