"""Programs that make, read and restore backups: found, run, watched, ended with us."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from pgrehearse.backup import room
from pgrehearse.errors import SetupError
from pgrehearse.execution import cell_process
from pgrehearse.processes import ended
from pgrehearse.servers import binaries, libpq_environment
from pgrehearse.servers.account import account

__all__ = ["Ended", "called", "exact", "printed", "run", "version"]

_TICK = 0.2  # seconds between two looks at what a program does
_TAIL = 64_000  # bytes of a program's output that are kept


@dataclass(frozen=True)
class Ended:
    """How a program ended. ``out`` and ``said`` are the ends of its output and of its messages."""

    status: int
    out: str
    said: str

    @property
    def reason(self) -> str:
        """The first line that says an error, without the program's name; the last where none does.

        pgBackRest says its errors among its output in 2.60.
        """
        lines = [line.strip() for line in self.said.splitlines() if line.strip()]
        for line in (*lines, *self.out.splitlines()):
            for word in ("error:", "ERROR:", "FATAL:"):
                if word in line:
                    return line.split(word, 1)[1].strip()
        return lines[-1] if lines else f"exit status {self.status}"


def called(name: str, major: int = 0) -> Path | None:
    """The path of one of PostgreSQL's programs, of ``major`` if it is here, or later; None: there is none."""
    own = exact(name, major) if major else None
    if own is not None:
        return own
    with suppress(SetupError):
        return binaries.client(name, major)
    return None


def exact(name: str, major: int) -> Path | None:
    """The path of a program of exactly ``major``; None: there is none here."""
    return binaries.program(name, major)


def version(program: Path) -> tuple[int, str]:
    """Major and version of one of PostgreSQL's programs: ``(18, "18.6")``; ``(0, "")``: not known."""
    return binaries.client_version(program)


def run(
    command: Sequence[str | Path],
    *,
    settings: Mapping[str, str] = {},
    watch: Callable[[str], None] = lambda said: None,
    out: IO[bytes] | None = None,
    messages: IO[bytes] | None = None,
    cwd: Path | None = None,
    as_server: bool = False,
) -> Ended:
    """Run ``command`` to its end, in English, with nobody to ask for a password.

    Args:
        settings: variables of its environment on top of ours; libpq's are only those given here.
        watch: called a few times a second with the last of its messages.
        out, messages: files that its output and its messages go to, where the ends of them are not enough.
        as_server: by the account that servers run as when we are root. Root would leave files in a repository
            that the original's archiver cannot write.

    Whatever ends this process, the program and all it started are killed: told to end, pg_basebackup leaves a
    child that holds its connection and reads nothing, and the server waits for it.

    Raises NoRoom: it failed because a disk is full.
    """
    with tempfile.TemporaryFile() as own, tempfile.TemporaryFile() as output:
        said = messages if messages is not None else own
        process = cell_process.start(
            [*(_by_account() if as_server else ()), *(str(word) for word in command)],
            libpq_environment({**settings, "LC_ALL": "C"}),
            stdin=subprocess.DEVNULL,
            stdout=out if out is not None else output,
            stderr=said,
            cwd=cwd or (Path("/") if as_server else None),
        )
        try:
            while not ended(process, _TICK):
                watch(_tail(said, 400))
        finally:
            process.end()
        done = Ended(process.returncode, _tail(output, _TAIL), _tail(said, _TAIL))
        if done.status != 0:
            room.full(f"{done.said}\n{done.out}")
        return done


def _by_account() -> list[str]:
    """What to write before a command, so that the account of the servers runs it; nothing where we are it."""
    who = account()
    if who is None:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise SetupError(
            f"there is no setpriv, by which root runs programs as {who.name}",
            next_step=f"install util-linux, or run this as {who.name}",
        )
    return [setpriv, f"--reuid={who.uid}", f"--regid={who.gid}", "--clear-groups", "--"]


def printed(command: Sequence[str | Path], **how: Any) -> Ended:
    """As `run`, with all of its output, however long."""
    with tempfile.TemporaryFile() as output:
        done = run(command, out=output, **how)
        output.seek(0)
        return replace(done, out=output.read().decode("utf-8", "replace"))


def _tail(file: IO[bytes], size: int) -> str:
    # By position: the program writes through the same open file.
    length = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), size, max(0, length - size)).decode("utf-8", "replace").strip()
