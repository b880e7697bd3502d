"""Bash cells: the commands of a page, run in a folder with a copy of the project's ``db/``.

A page about a command shows what it prints. The folder lasts from cell to cell, like a reader's; libpq's
environment names the document's database, so ``pgrehearse db up`` or ``psql`` need no argument.
"""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pgrehearse.errors import SetupError
from pgrehearse.execution import cell_process
from pgrehearse.execution.bounds import ROOM, too_long
from pgrehearse.execution.results import CellResult, wrong
from pgrehearse.findings import Finding
from pgrehearse.servers import orphans
from pgrehearse.servers.process_environment import libpq_environment
from pgrehearse.text.document import Cell
from pgrehearse.text.project import Project

__all__ = ["BashCells"]

#: Seconds between two looks at whether a silent command has ended.
_LOOK = 0.01
#: What has bash, psql and git begin with something of the reader's own, or speak differently. The home folder
#: is another one for the same reason.
_READERS_OWN = frozenset(
    (
        *("BASH_ENV", "BASHOPTS", "CDPATH", "ENV", "GIT_CONFIG_GLOBAL", "GLOBIGNORE", "POSIXLY_CORRECT"),
        *("PSQLRC", "SHELLOPTS", "XDG_CONFIG_HOME"),
    )
)
_FUNCTION = "BASH_FUNC_"  # an exported function is in the way of the program of its name


class BashCells:
    """The folder and the commands of one document.

    Args:
        project: its pyproject.toml, migrations and seed are copied; None: the folder begins empty.
        environment: libpq variables of the document's database.
        values: parameter values, shell variables of these names.
    """

    def __init__(self, project: Project | None, environment: dict[str, str], values: dict[str, str]) -> None:
        self.project = project
        self.environment = environment
        self.values = values
        #: (start, end) on the monotonic clock of every cell
        self.intervals: list[tuple[float, float]] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def run(self, cell: Cell, timeout: float) -> CellResult:
        """Execute one cell; ``timeout`` in seconds. Output and errors are one text, as on a terminal."""
        started = time.monotonic()
        status, shown = self._carried_out(cell.source, timeout)
        output = shown.decode("utf-8", "replace").rstrip("\n")
        ended = time.monotonic()
        self.intervals.append((started, ended))
        failure = too_long(cell) if len(shown) > ROOM else _failure(cell, status, output)
        return CellResult(cell, "failed" if failure else "passed", output, failure, seconds=ended - started)

    def folder(self) -> Path:
        """Where the cells run, made when first asked for."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix=orphans.prefix())
            if self.project is not None:
                _copy(self.project, Path(self._folder.name))
        return Path(self._folder.name)

    def close(self) -> None:
        """Remove the folder."""
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.cleanup()

    def _carried_out(self, source: str, timeout: float) -> tuple[int | None, bytes]:
        """The exit status, None where it did not finish, and what was printed, hardly more than `ROOM`."""
        bash = shutil.which("bash")
        if bash is None:
            raise SetupError("no bash on PATH", next_step="install bash, or run the other documents")
        ours, theirs = os.pipe()
        with os.fdopen(ours, "rb", buffering=0) as printed:
            with os.fdopen(theirs, "wb") as end:
                process = cell_process.start(
                    [bash, "--noprofile", "--norc", "-eu", "-o", "pipefail", "-c", source],
                    self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=end.fileno(),
                    stderr=end.fileno(),
                    cwd=self.folder(),
                )
            os.set_blocking(ours, False)
            shown = bytearray()
            limit = time.monotonic() + timeout
            try:
                while (status := process.poll()) is None and len(shown) <= ROOM and time.monotonic() < limit:
                    select.select([printed], [], [], _LOOK)
                    shown += printed.read(65536) or b""
            finally:
                process.end()
            # What a cell left running would hold the pipe open for ever: what is there by now is all.
            while len(shown) <= ROOM and (more := printed.read(65536)):
                shown += more
        return status, bytes(shown)

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in libpq_environment(self.environment).items()
            if name not in _READERS_OWN and not name.startswith(_FUNCTION)
        }
        found = {**kept, **self.values}
        path = os.pathsep.join([str(Path(sys.executable).parent), found.get("PATH", os.defpath)])
        return {**found, "HOME": str(self.folder()), "NO_COLOR": "1", "PATH": path, "TERM": "dumb"}


def _copy(project: Project, target: Path) -> None:
    """The project's settings, its list of breaking changes, and what lies beside migrations and seed."""
    config = project.root / "pyproject.toml"
    if config.is_file():
        shutil.copy(config, target)
    if project.changes.is_file() and project.changes.is_relative_to(project.root):
        changes = target / project.changes.relative_to(project.root)
        changes.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project.changes, changes)
    for path in (project.migrations, project.seed):
        folder = path.parent
        if folder != project.root and folder.is_dir() and folder.is_relative_to(project.root):
            shutil.copytree(folder, target / folder.relative_to(project.root), dirs_exist_ok=True)


def _failure(cell: Cell, status: int | None, output: str) -> Finding | None:
    wanted = cell.options.exit or 0
    if status == wanted:
        return None
    if status is None:
        what, step = "the cell did not finish in time", 'give the cell more time, such as timeout="2min"'
    else:
        what = f"ended with exit status {status}, expected {wanted}"
        step = f'mend the command, or say so with exit="{status}"'
    return wrong(what, cell.first_line, detail=output, next_step=step)
