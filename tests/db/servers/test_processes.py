"""Whether a process has ended is known at once, and a limit is kept."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pgrehearse.processes import ended

OPEN = Path("/proc/self/fd")


@pytest.fixture(params=["told", "asked again and again"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "told":
        monkeypatch.delattr(os, "pidfd_open", raising=False)


@pytest.mark.usefixtures("way")
def test_it_is_told_with_the_status() -> None:
    with subprocess.Popen(["sh", "-c", "read line; exit 3"], stdin=subprocess.PIPE) as process:
        assert not ended(process, 0.01)
        assert process.returncode is None
        assert process.stdin is not None
        process.stdin.close()
        assert ended(process, 60)
        assert process.returncode == 3
        assert ended(process, 0)


@pytest.mark.skipif(not OPEN.is_dir(), reason="no /proc here")
def test_nothing_is_left_open() -> None:
    before = len(list(OPEN.iterdir()))
    for _ in range(3):
        with subprocess.Popen(["true"]) as process:
            assert ended(process, 60)
    assert len(list(OPEN.iterdir())) == before
