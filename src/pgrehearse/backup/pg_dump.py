"""pg_dump: called, watched, and nothing left of it that could be taken for a dump."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pgrehearse.backup import checksums, programs
from pgrehearse.backup.adapter import WorkOptions
from pgrehearse.backup.original import Original
from pgrehearse.backup.room import outside
from pgrehearse.errors import SetupError
from pgrehearse.owners import marker, owner_is_gone

__all__ = ["FORMATS", "take_dump"]

FORMATS = ("custom", "directory", "plain")


def take_dump(path: Path, original: Original, work: WorkOptions) -> None:
    """Make a dump at the new ``path``, and its checksums beside it. Raises SetupError."""
    major = original.target.major
    program = programs.called("pg_dump", major)
    if program is None:
        raise SetupError(
            f"no pg_dump of PostgreSQL {major} or later is here",
            next_step="install PostgreSQL's client programs, or name their directory in PGREHEARSE_BINDIR",
        )
    form = work.options.get("format", "custom")
    if form not in FORMATS:
        raise SetupError(f"the format is one of {', '.join(FORMATS)}", next_step="--option format=custom")
    if path.exists():
        raise SetupError("this is there already", path=path, next_step="name a new place for each backup")
    if not path.parent.is_dir():
        raise SetupError("there is no such folder", path=path.parent, next_step="make it")
    outside(path.parent)
    with _draft(path) as draft:
        command: list[str | Path] = [program, "--no-password", f"--format={form}", f"--file={draft}"]
        # Not in ours: bytes that are no text in UTF-8 could not be told in it.
        command.append(f"--encoding={original.encoding}")
        if not original.sees_all:
            work.tell(f"without the records of promotions, which {original.target.user} may not see whole")
            command.append("--exclude-schema=pgrehearse_promotion")
        command += [f"--jobs={work.jobs}"] if form == "directory" else []
        done = programs.run(
            command,
            settings=original.settings,
            watch=lambda _: work.progress("pg_dump", checksums.size(draft) if draft.exists() else 0, 0),
        )
        if done.status != 0:
            raise _failed(done)
        # First the checksums: a dump that has its name has them, too.
        checksums.written(draft, path.name, path.with_name(f"{path.name}.sha256"))
        draft.rename(path)


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """A name beside ``path`` that says whose it is; it is gone after the block, like those of killed runs."""
    for left in path.parent.glob(f".{path.name}.*.draft"):
        if owner_is_gone(left.name.removesuffix(".draft").rsplit(".", 1)[1].replace("-", ":")):
            _remove(left)
    draft = path.with_name(f".{path.name}.{marker().replace(':', '-')}.draft")
    _remove(draft)
    try:
        yield draft
    finally:
        _remove(draft)


def _remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):
        os.unlink(path)  # noqa: PTH108 (it may be a file)


def _failed(done: programs.Ended) -> SetupError:
    if "permission denied" in done.said or "SELECT privilege" in done.said:
        return SetupError(
            f"the dump would not be whole: {done.reason}",
            next_step="GRANT pg_read_all_data TO the role that connects",
        )
    return SetupError(f"pg_dump failed: {done.reason}", next_step="look at the server's log")
