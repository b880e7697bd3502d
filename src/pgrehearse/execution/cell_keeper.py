"""Keeps the process of a cell: however cell and run end, nothing that the cell started is left.

    python -I -S cell_keeper.py DESCRIPTOR COMMAND...

A program of its own, standard library only, between the run and the cell. It adopts what the cell's
children leave behind (nohup, setsid, daemons), so that all of it stays below it in the tree of processes.
When the cell ends, or when the run does, which is the end of the pipe DESCRIPTOR, it kills what is below
and ends as the cell did. The cell dies with it, should somebody kill the keeper. Where the system knows no
adoption, which is everywhere but on Linux, a process that left both the group and the tree of the cell
escapes.

A server that a command of the cell started is put away by its own supervisor, which gets the time for it.
"""
# ruff: noqa: PTH123, PTH208, S606  # pathlib takes as long to import as all the rest

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
from contextlib import suppress

TYPE_CHECKING = False  # typing takes as long to import as all the rest
if TYPE_CHECKING:
    from typing import NoReturn

_DIE_WITH_PARENT, _ADOPT = 1, 36  # PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER of <sys/prctl.h>
#: Seconds a server's supervisor has, and all of it: a process that sleeps in the kernel cannot be killed.
_GRACE, _LIMIT = 20.0, 30.0
_SUPERVISOR = b"pgrehearse-supervisor"
_LINUX = sys.platform == "linux"


def main() -> NoReturn:
    """Start the command, wait for its end or the run's, and clear up."""
    lifeline, command = int(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(lifeline, False)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, _nothing)  # the end of the pipe ends it; unlike an ignored one, not inherited
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _nothing)
    _ask_the_kernel(_ADOPT, 1)
    child = os.fork()
    if child == 0:
        _become(command, os.getppid())
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # whoever reads what the cell prints sees its end, not ours
        os.dup2(nothing, stream)
    status = None
    while status is None:
        ready = select.select([lifeline, woken], [], [])[0]
        if woken in ready:
            with suppress(BlockingIOError):
                os.read(woken, 4096)
        status = _reap().get(child)
        if lifeline in ready:
            break
    _clear(child)
    _end_as(status)


def _nothing(number: int, frame: object) -> None:
    pass


def _ask_the_kernel(what: int, value: int) -> None:
    if _LINUX:
        ctypes.CDLL(None).prctl(what, value, 0, 0, 0)


def _become(command: list[str], keeper: int) -> NoReturn:
    """In the child: the command, in a session of its own, with the signals a program expects."""
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # ignored by every Python
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        _ask_the_kernel(_DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() == keeper:
            os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    os._exit(127)


def _reap() -> dict[int, int]:
    """How children that have ended did, by process id."""
    found = {}
    with suppress(ChildProcessError):
        while (one := os.waitpid(-1, os.WNOHANG))[0]:
            found[one[0]] = one[1]
    return found


def _clear(child: int) -> None:
    """Kill what is below until nothing is; what forks faster than it is seen meets the next look."""
    begun = time.monotonic()
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    while (waited := time.monotonic() - begun) < _LIMIT:
        parents = _parents()
        below = _below(os.getpid(), parents)
        kept: set[int] = set()
        if waited < _GRACE:
            for pid in filter(_supervises, below):
                kept |= {pid} | _below(pid, parents)
        for pid in below - kept:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        _reap()
        if not below:
            return
        time.sleep(0.02 if below <= kept else 0.002)


def _parents() -> dict[int, int]:
    """The parent of every process there is, without those that have ended."""
    if not _LINUX:
        with os.popen("ps -axo pid=,ppid=,stat=") as listed:  # noqa: S605 (the system's own)
            rows = [line.split() for line in listed]
        return {int(pid): int(parent) for pid, parent, state in rows if not state.startswith("Z")}
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):  # it has ended meanwhile
            with open(f"/proc/{name}/stat", "rb") as stat:
                fields = stat.read().rpartition(b")")[2].split()
            if fields[0] != b"Z":
                found[int(name)] = int(fields[1])
    return found


def _below(top: int, parents: dict[int, int]) -> set[int]:
    children: dict[int, list[int]] = {}
    for pid, parent in parents.items():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    todo = [top]
    while todo:
        todo += [pid for pid in children.get(todo.pop(), []) if pid not in found]
        found.update(todo)
    return found


def _supervises(pid: int) -> bool:
    with suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as line:
        return _SUPERVISOR in line.read().split(b"\0")
    return False


def _end_as(status: int | None) -> NoReturn:
    """End with the status of the cell, by its signal if there was one."""
    code = -signal.SIGKILL if status is None else os.waitstatus_to_exitcode(status)
    if code < 0:
        with suppress(OSError, ValueError):  # SIGKILL has no handler
            signal.signal(-code, signal.SIG_DFL)
        with suppress(ImportError, OSError, ValueError):
            import resource

            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # one core of the cell is enough
        os.kill(os.getpid(), -code)
    os._exit(code & 0xFF)


if __name__ == "__main__":
    main()
