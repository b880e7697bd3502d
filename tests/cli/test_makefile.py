"""What the Makefile gives to the programs it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import ROOT
from support.processes import call, clean_environment

#: A target beside those of the Makefile, which shows what its commands get.
SHOWING = "include {makefile}\nshown:\n\t@env"


@pytest.mark.parametrize(
    ("name", "passed"),
    [
        ("PYTHONDONTWRITEBYTECODE", False),
        ("PGREHEARSE_CACHE", True),  # the control: others are passed on
    ],
)
def test_how_make_was_started_does_not_make_it_slow(tmp_path: Path, name: str, passed: bool) -> None:
    (tmp_path / "showing.mk").write_text(SHOWING.format(makefile=ROOT / "Makefile"), "utf-8")
    command = ("make", "--no-print-directory", "-f", str(tmp_path / "showing.mk"), "shown")
    ended = call(command, tmp_path, clean_environment(**{name: "1"}))
    assert ended.status == 0, ended.said
    assert (f"{name}=1" in ended.out.splitlines()) == passed
