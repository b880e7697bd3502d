"""The guide about connection pools with the PgBouncers it is not run with among the documents."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from pgrehearse.execution.rehearser import Rehearser
from pgrehearse.text.document import load
from support import ROOT
from support.majors import TEST_MAJOR
from support.programs import POOLERS, program


@pytest.mark.parametrize("name", [POOLERS[0], POOLERS[2]])
def test_the_guide_holds_with(name: str, rehearser: Rehearser, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)  # root starts PgBouncer as whoever runs the server
        Path(folder, "pgbouncer").symlink_to(program(name))
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        result = rehearser.rehearse(load(ROOT / "docs" / "guides" / "connection-pools.md"), TEST_MAJOR)
    assert result.green, result.report("connection-pools.md")
    assert {cell.status for cell in result.cells} == {"passed"}
