"""However a run ends, nothing that its cells started is left, and nothing holds its outputs open."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pgrehearse.execution.bash_cell import BashCells
from pgrehearse.execution.python_cell import PythonCells
from pgrehearse.text.document import Cell, parse
from support.processes import alive, clean_environment, descendants, hearing
from support.waiting import LIMIT, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the system adopts no processes")

#: How a process leaves its parent, each writing its number to $PIDS: bash.
BASH = {
    "background": 'sleep 1000 & echo $! >>"$PIDS"; wait',
    "nohup": 'nohup sleep 1000 >/dev/null 2>&1 & echo $! >>"$PIDS"; sleep 1000',
    "session": "setsid sh -c 'echo $$ >>\"$PIDS\"; exec sleep 1000' & sleep 1000",
    "daemon": "(setsid sh -c 'sh -c \"echo \\$\\$ >>$PIDS; exec sleep 1000\" & exit' &); sleep 1000",
    "no environment": 'env -i setsid sh -c "echo \\$\\$ >>$PIDS; exec sleep 1000" & sleep 1000',
    "deaf": 'trap "" HUP INT TERM; echo $$ >>"$PIDS"; while :; do sleep 1; done',
}
PYTHON = {
    "loop": "import os\nopen(os.environ['PIDS'], 'a').write(f'{os.getpid()}\\n')\nwhile True: pass",
    "child": (
        "import os, subprocess, time\nchild = subprocess.Popen(['sleep', '1000'])\n"
        "open(os.environ['PIDS'], 'a').write(f'{child.pid}\\n')\ntime.sleep(1000)"
    ),
    "daemon": (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        open(os.environ['PIDS'], 'a').write(f'{os.getpid()}\\n')\n        time.sleep(1000)\n"
        "    os._exit(0)\ntime.sleep(1000)"
    ),
}
#: A program with a cell, as the command has one.
RUN = """
import os, sys
from pathlib import Path
from pgrehearse.execution.bash_cell import BashCells
from pgrehearse.execution.cell_process import interruptible
from pgrehearse.execution.python_cell import PythonCells
from pgrehearse.text.document import parse
language, source = sys.argv[1:]
(cell,) = parse(f"---\\nbash: true\\n---\\n\\n```{language}\\n{source}\\n```\\n", Path("page.md")).cells
cells = BashCells(None, dict(os.environ), {}) if language == "bash" else PythonCells(Path("page.md"), {}, {})
print("starting", flush=True)
try:
    cells.run(cell, 1000)
finally:
    cells.close()
"""


class Run:
    """A run with one cell, in a process of its own; ``pids``: what the cell started and wrote down."""

    def __init__(self, folder: Path, language: str, source: str) -> None:
        self._pids = folder / "pids"
        with hearing():
            self.process = subprocess.Popen(
                [sys.executable, "-c", RUN, language, source],
                cwd=folder,
                env=clean_environment(PIDS=str(self._pids), TMPDIR=str(folder)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(lambda: self._pids.exists() and self._pids.read_text().strip(), "the cell has begun")
        self.all = descendants(self.process.pid) | set(self.pids)
        assert len(self.all) >= 2, "a keeper and a cell"

    @property
    def pids(self) -> list[int]:
        return [int(line) for line in self._pids.read_text().split()]

    def leaves_nothing(self) -> None:
        wait_until(lambda: not any(alive(pid) for pid in self.all), "all of the cell has ended")
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        wait_until(self._at_end, "nobody holds the run's output")

    def _at_end(self) -> bool:
        assert self.process.stdout is not None
        try:
            return os.read(self.process.stdout.fileno(), 65536) == b""
        except BlockingIOError:
            return False


@pytest.fixture
def runs() -> Iterator[list[Run]]:
    made: list[Run] = []
    yield made
    for run in made:
        run.process.kill()
        run.process.wait()
        assert run.process.stdout is not None
        run.process.stdout.close()
        for pid in run.all:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


WAYS = [("bash", name) for name in BASH] + [("python", name) for name in PYTHON]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
@pytest.mark.parametrize(("language", "name"), WAYS)
def test_a_killed_run(
    tmp_path: Path, runs: list[Run], language: str, name: str, number: signal.Signals
) -> None:
    runs.append(run := Run(tmp_path, language, {"bash": BASH, "python": PYTHON}[language][name]))
    run.process.send_signal(number)
    run.process.wait(LIMIT)
    run.leaves_nothing()


@pytest.mark.parametrize("language", ["bash", "python"])
def test_ctrl_c_twice(tmp_path: Path, runs: list[Run], language: str) -> None:
    source = {"bash": BASH["daemon"], "python": PYTHON["daemon"]}[language]
    runs.append(run := Run(tmp_path, language, source))
    for _ in range(2):
        os.killpg(run.process.pid, signal.SIGINT)
    run.process.wait(LIMIT)
    run.leaves_nothing()


def cut_short(make: Callable[[], BashCells | PythonCells], endless: Cell, pids: Path) -> list[int]:
    """Run a cell until its time is up; the processes it wrote down. One that had not begun gets more time."""
    for limit in (1.5, 6.0, 24.0, 96.0):
        cells = make()
        try:
            assert cells.run(endless, limit).failure is not None
        finally:
            cells.close()
        if pids.exists() and (found := [int(line) for line in pids.read_text().split()]):
            return found
    raise AssertionError("the cell did not begin")


@pytest.mark.parametrize("name", BASH)
def test_what_a_bash_cell_leaves_ends_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("PIDS", str(tmp_path / "pids"))
    found = cut_short(
        lambda: BashCells(None, dict(os.environ), {}), cell("bash", BASH[name]), tmp_path / "pids"
    )
    assert not [pid for pid in found if alive(pid)], "at once: the next cell does not meet it"


@pytest.mark.parametrize("name", PYTHON)
def test_what_a_python_cell_leaves_ends_with_its_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("PIDS", str(tmp_path / "pids"))
    found = cut_short(
        lambda: PythonCells(Path("page.md"), {}, {}), cell("python", PYTHON[name]), tmp_path / "pids"
    )
    assert not [pid for pid in found if alive(pid)]


def _commands(mark: str) -> list[Path]:
    return [one for one in Path("/proc").glob("[0-9]*") if command_of(int(one.name)).startswith(mark)]


@pytest.mark.parametrize("source", ["kill -9 $PPID; sleep 1000", "kill -STOP $PPID; sleep 1000"])
def test_a_cell_that_attacks_its_keeper(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    monkeypatch.setattr("pgrehearse.execution.cell_process._LIMIT", 1.0)
    cells = BashCells(None, dict(os.environ), {})
    mark = f"sleep{time.monotonic_ns()}"
    try:
        result = cells.run(cell("bash", f"(exec -a {mark} sleep 1000) & {source}"), 1)
    finally:
        cells.close()
    assert result.failure is not None
    # It was killed, and is there until the system has taken it away.
    wait_until(lambda: not _commands(mark), "nothing of the cell runs")


def test_the_next_run_ends_what_killed_keepers_left(tmp_path: Path, runs: list[Run]) -> None:
    runs.append(run := Run(tmp_path, "bash", BASH["daemon"]))
    keepers = [pid for pid in run.all if alive(pid) and "cell_keeper" in command_of(pid)]
    for pid in (run.process.pid, *keepers):  # else one sees the other end, and clears up
        os.kill(pid, signal.SIGSTOP)
    for pid in (*keepers, run.process.pid):
        os.kill(pid, signal.SIGKILL)
    run.process.wait(LIMIT)
    assert all(map(alive, run.pids)), "nobody is left who could end it"
    done = subprocess.run([sys.executable, "-c", RUN, "bash", "true"], capture_output=True, check=True)
    assert b"starting" in done.stdout
    run.leaves_nothing()


def test_a_live_run_keeps_what_it_started(tmp_path: Path, runs: list[Run]) -> None:
    runs.append(run := Run(tmp_path, "bash", BASH["session"]))
    subprocess.run([sys.executable, "-c", RUN, "bash", "true"], capture_output=True, check=True)
    assert all(map(alive, run.pids))


def test_how_a_cell_ended_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    cells = BashCells(None, dict(os.environ), {})
    try:
        assert cells.run(cell("bash", "exit 7"), 20).failure is not None
        assert cells.run(cell("bash", "kill -TERM $$"), 20).failure is not None
        said = [cells.run(cell("bash", what), 20).failure for what in ("exit 7", "kill -TERM $$")]
    finally:
        cells.close()
    assert [one.message.partition(",")[0] for one in said if one] == [
        "ended with exit status 7",
        "ended with exit status -15",
    ]


def test_what_a_python_cell_says_aside_is_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    cells = PythonCells(Path("page.md"), {}, {})
    try:
        cells.run(
            cell("python", "import os, sys\nsys.stderr.write('\\x1b[2Jaside')\nos.system('echo too')"), 20
        )
    finally:
        cells.close()
    assert capsys.readouterr().err == "\\x1B[2Jasidetoo\n"


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", errors="replace")
    except OSError:
        return ""


def cell(language: str, source: str) -> Cell:
    (found,) = parse(f"---\nbash: true\n---\n\n```{language}\n{source}\n```\n", Path("page.md")).cells
    return found
