"""Every runbook of this repository, carried out by the command an operator uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.execution.rehearser import Rehearser, run_cells
from pgrehearse.text.document import load
from support import ROOT
from support.bench import Bench
from support.majors import TEST_MAJOR

RUNBOOKS = sorted((ROOT / "runbooks").glob("*.md"))


def test_there_are_runbooks() -> None:
    assert len(RUNBOOKS) >= 12


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_every_runbook_is_carried_out_repeated_and_rolled_back(
    path: Path, bench: Bench, rehearser: Rehearser
) -> None:
    document = load(path)
    rehearsal = [cell for cell in document.cells if cell.phase == "Rehearsal"]
    settings = [f"--set={name}={value}" for name, value in document.front.examples().items()]
    with rehearser.fresh(document, TEST_MAJOR) as fresh:
        with fresh.executor(document) as executor:
            assert not [result for result in run_cells(executor, rehearsal, rehearsal) if result.failure]
        call = [
            "run",
            str(path),
            "--yes",
            "--dsn",
            fresh.server.dsn(fresh.name),
            "--log",
            "run.jsonl",
            *settings,
        ]
        for more in ([], ["--phase", "apply", "--phase", "verify"], ["--phase", "roll-back"]):
            ended = bench.call(*call, *more)
            assert ended.status == 0, ended.out[-2000:] + ended.err
