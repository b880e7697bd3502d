"""``pgrehearse`` and other programs as processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "PGREHEARSE",
    "PYTEST",
    "Ended",
    "alive",
    "call",
    "clean_environment",
    "descendants",
    "end",
    "hearing",
    "start",
]

#: What starts the command of the package under test.
PGREHEARSE = (sys.executable, "-m", "pgrehearse")
#: What starts pytest in a project of a test. Hypothesis' plugin alone takes a second to start.
PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")


class Ended(NamedTuple):
    """How a program ended: its exit status, standard output, standard error."""

    status: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Both outputs, for the message of a failed assertion."""
        return self.out + self.err


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without pytest's and libpq's variables; the project's own stay."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("PGREHEARSE_") or not name.startswith(("PG", "PYTEST"))
    }
    return kept | more


@contextmanager
def hearing() -> Iterator[None]:
    """What is started inside takes signals as usual, even where the tests ignore them.

    A shell starts background jobs to ignore SIGINT, nohup SIGHUP; a command that was called in this process
    may have left SIGTERM so. Children inherit it. A signal with a handler, unlike an ignored one, is back at
    its default in a child.
    """
    deaf = [
        one
        for one in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
        if signal.getsignal(one) is signal.SIG_IGN
    ]
    for one in deaf:
        signal.signal(one, lambda number, frame: None)
    try:
        yield
    finally:
        for one in deaf:
            signal.signal(one, signal.SIG_IGN)


def start(command: tuple[str, ...], cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start a program in a group of its own, its outputs in pipes. Whoever starts it ends it: ``end``.

    It hears signals, however the tests were started.
    """
    with hearing():
        return subprocess.Popen(
            command,
            cwd=cwd,
            env={**(clean_environment() if env is None else env), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


def end(process: subprocess.Popen[str]) -> None:
    """Kill what still runs, and close its pipes."""
    process.kill()
    process.wait()
    for pipe in (process.stdout, process.stderr):  # not to their end: its children may hold them
        if pipe is not None:
            pipe.close()


def call(
    command: tuple[str, ...], cwd: Path, env: Mapping[str, str] | None = None, limit: float = 120
) -> Ended:
    """Run a program to its end, at most ``limit`` seconds."""
    process = start(command, cwd, env)
    try:
        out, err = process.communicate(timeout=limit)
    finally:
        end(process)
    return Ended(process.returncode, out, err)


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for yet (a zombie) does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def descendants(pid: int, without: int | None = None) -> set[int]:
    """The processes that a process started, and those that they started, from one look at the system's list.

    ``without`` leaves a process and its own descendants out: two looks differ by what ended between.
    """
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text("utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, todo = set(), [pid]
    while todo:
        children = [child for child in parents.get(todo.pop(), []) if child != without]
        found.update(children)
        todo.extend(children)
    return found
