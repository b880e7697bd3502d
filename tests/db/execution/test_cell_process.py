"""What a cell prints does not depend on how the run was started."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgrehearse.execution.bash_cell import BashCells
from pgrehearse.execution.python_cell import PythonCells
from pgrehearse.text.document import Cell, parse

PATH = Path("page.md")


@pytest.fixture(params=["as in a terminal", "with SIGINT ignored"])
def started(request: pytest.FixtureRequest) -> Iterator[str]:
    """How this process was started: a shell's background jobs ignore SIGINT."""
    ignored = request.param == "with SIGINT ignored"
    before = signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.default_int_handler)
    yield request.param
    assert (signal.getsignal(signal.SIGINT) is signal.SIG_IGN) == ignored, "a run changes nothing of itself"
    signal.signal(signal.SIGINT, before)


def cell(language: str, source: str) -> Cell:
    (found,) = parse(f"---\nbash: true\n---\n\n```{language}\n{source}\n```\n", PATH).cells
    return found


def test_a_bash_cell_can_be_interrupted(started: str) -> None:
    cells = BashCells(None, dict(os.environ), {})
    try:
        result = cells.run(cell("bash", "trap 'echo caught' INT\nkill -INT $$\necho after"), 20)
    finally:
        cells.close()
    assert (result.status, result.output) == ("passed", "caught\nafter"), started


def test_a_python_cell_can_be_interrupted(started: str) -> None:
    source = (
        "import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\n"
        "except KeyboardInterrupt:\n    print('caught')"
    )
    cells = PythonCells(PATH, dict(os.environ), {})
    try:
        result = cells.run(cell("python", source), 20)
    finally:
        cells.close()
    assert (result.status, result.output) == ("passed", "caught"), started
