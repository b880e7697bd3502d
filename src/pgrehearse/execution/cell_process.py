"""Processes that cells run in: each in a session of its own under a keeper, with signals as in a terminal."""

from __future__ import annotations

import codecs
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, Any

from pgrehearse.execution import cell_keeper
from pgrehearse.execution.bounds import ROOM
from pgrehearse.owners import marker, owner_is_gone
from pgrehearse.processes import ended
from pgrehearse.text.characters import visible

__all__ = ["CellProcess", "interruptible", "start"]

_Stream = int | IO[bytes]
_KEEPER = Path(cell_keeper.__file__)
#: Names cell and owner in the environment of everything a cell starts.
_MARK = "PGREHEARSE_CELL"
_LIMIT = 40.0  # seconds; the keeper gives up after 30


@contextmanager
def interruptible() -> Iterator[None]:
    """What is started inside takes SIGINT as usual, even where this process was started to ignore it.

    A shell starts background jobs so, and a child inherits it: then what a cell prints would depend on how
    the run was started. A signal with a handler, unlike an ignored one, is back at its default in a child.
    """
    ours = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if not ours or threading.current_thread() is not threading.main_thread():  # only that one may set it
        yield
        return
    signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


class CellProcess(subprocess.Popen[bytes]):
    """A cell's process, by its keeper: it ends as the cell does, when nothing of the cell runs any more."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], stderr: _Stream | None, **options: Any
    ) -> None:
        held, self._lifeline = os.pipe()  # the keeper sees the end of this pipe, whatever ends this process
        self.mark = f"{marker()}:{secrets.token_hex(8)}"
        keeper = [sys.executable, "-I", "-S", str(_KEEPER), str(held), *command]
        try:
            super().__init__(
                keeper,
                env={**env, _MARK: self.mark},
                pass_fds=(held,),
                start_new_session=True,
                stderr=subprocess.PIPE if stderr is None else stderr,
                **options,
            )
        except BaseException:
            os.close(self._lifeline)
            raise
        finally:
            os.close(held)
        #: characters the cell may still print on standard error; below 0 the rest was not told
        self.room = ROOM
        self._told = threading.Thread(target=self._pass_on, args=(self.stderr,), daemon=True)
        self._told.start()

    def end(self) -> None:
        """Kill what runs of the cell. A second call does nothing."""
        lifeline, self._lifeline = self._lifeline, -1
        if lifeline < 0:
            return
        os.close(lifeline)
        if not ended(self, _LIMIT):  # somebody has stopped the keeper
            self.kill()
            self.wait()
        if self.returncode == -signal.SIGKILL:  # that, or the cell itself was killed
            end_marked(lambda mark: mark == self.mark)
        self._told.join(1.0)

    def _pass_on(self, errors: IO[bytes] | None) -> None:
        """Tell what arrives in ``errors``, until its end, and no more than there is room for."""
        if errors is None:
            return
        decoded = codecs.getincrementaldecoder("utf-8")("replace")
        with errors, suppress(OSError, ValueError):  # or until nobody hears it
            while chunk := os.read(errors.fileno(), 65536):
                text = decoded.decode(chunk)
                told = text[: max(self.room, 0)]
                self.room -= len(text)
                print(visible(told), end="", file=sys.stderr, flush=True)


def start(
    command: Sequence[str],
    env: Mapping[str, str],
    *,
    stdin: _Stream,
    stdout: _Stream,
    stderr: _Stream | None,
    cwd: Path | None = None,
) -> CellProcess:
    """Start ``command``; whoever starts it ends it with `CellProcess.end`.

    ``stderr``: None to have it told on ours. The cell itself gets no stream of ours: what it leaves running
    would hold it open, and a pipeline waits for that.
    """
    _end_orphans()
    with interruptible():
        return CellProcess(command, env, stderr, stdin=stdin, stdout=stdout, cwd=cwd)


@cache
def _end_orphans() -> None:
    """End what cells of dead runs left running, once a process; their keepers were killed as well."""
    end_marked(lambda mark: owner_is_gone(mark.rpartition(":")[0]))


def end_marked(ours: Callable[[str], bool]) -> None:
    """Kill the processes of this user with a mark of a cell for which ``ours`` says so. On Linux only."""
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # somebody else's, or it has ended
            variables = environment.read_bytes().split(b"\0")
            marks = [one.partition(b"=")[2] for one in variables if one.startswith(_MARK.encode() + b"=")]
            if marks and ours(marks[-1].decode("utf-8", "replace")):
                os.kill(int(environment.parent.name), signal.SIGKILL)
