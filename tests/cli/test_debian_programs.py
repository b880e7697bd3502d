"""The tool that unpacks programs of other Debian suites: what it refuses; what it unpacked starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support import ROOT
from support.processes import Ended, call, clean_environment
from support.programs import POOLERS, program

TOOL = (sys.executable, str(ROOT / "tools" / "debian_programs.py"))


def unpack(cache: Path, *words: str, path: Path | None = None) -> Ended:
    more = {"PGREHEARSE_CACHE": str(cache)} | ({"PATH": str(path)} if path else {})
    return call((*TOOL, *words), ROOT, clean_environment(**more))


def test_a_name_that_is_not_listed_is_refused_with_those_that_are(tmp_path: Path) -> None:
    ended = unpack(tmp_path, "pgbouncer-0.1")
    assert ended.status == 64
    assert "not among the programs: pgbouncer-0.1" in ended.err and "pgbouncer-1.24" in ended.err


def test_a_machine_without_apt_is_told_so_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    ended = unpack(tmp_path / "cache", "pgbouncer-1.18", path=tmp_path / "bin")
    assert ended.status == 69, ended.said
    assert "this machine has no apt-get" in ended.err and "next: run this on Debian" in ended.err
    assert [path.name for path in (tmp_path / "cache" / "debian").rglob("*")] == []


@pytest.mark.parametrize("name", POOLERS)
def test_what_was_unpacked_starts_and_is_no_older_than_its_name_says(name: str) -> None:
    said = subprocess.run([program(name), "--version"], capture_output=True, text=True, check=True).stdout
    least = tuple(map(int, name.rpartition("-")[2].split(".")))
    version = said.split()[1]
    assert tuple(map(int, version.split(".")))[:2] >= least
