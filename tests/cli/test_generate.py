"""The generated parts of the reference pages: up to date here, and a check that turns red elsewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pgrehearse.execution.rehearser import Rehearser, run_cells
from pgrehearse.text import lint
from pgrehearse.text.document import load
from support import ROOT
from support.majors import TEST_MAJOR
from support.waiting import LIMIT

TOOL = ROOT / "tools" / "generate.py"
SAMPLES = sorted((ROOT / "tools" / "samples").glob("*.md"))


def generate(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOL), "--root", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The pages with generated parts, in a folder of their own."""
    for name in ("reference", "guides"):
        shutil.copytree(ROOT / "docs" / name, tmp_path / "docs" / name)
    return tmp_path


def test_the_pages_of_this_repository_are_up_to_date() -> None:
    done = generate(ROOT, "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_check_says_what_is_out_of_date_and_writes_nothing_while_the_plain_call_writes(copy: Path) -> None:
    page = copy / "docs" / "reference" / "commands.md"
    fresh = page.read_text("utf-8")
    stale = fresh.replace("--from-top ", "--from-bottom ")
    assert stale != fresh
    page.write_text(stale, "utf-8")
    done = generate(copy, "--check")
    assert done.returncode == 65
    line = stale[: stale.index("<!-- generated: help run -->")].count("\n") + 1
    assert f"docs/reference/commands.md:{line}: help run is out of date" in done.stdout
    assert page.read_text("utf-8") == stale
    done = generate(copy)
    assert done.returncode == 0
    assert page.read_text("utf-8") == fresh
    assert generate(copy).stdout == "", "the second call has nothing to do"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("generated: help run -->", "generated: help rn -->", "nothing generates 'help rn'"),
        (
            "<!-- generated: help run -->",
            "",
            "docs/guides has: <!-- generated: help run -->",
        ),
    ],
)
def test_a_part_that_is_misnamed_or_missing_is_said(copy: Path, old: str, new: str, said: str) -> None:
    page = copy / "docs" / "reference" / "commands.md"
    page.write_text(page.read_text("utf-8").replace(old, new), "utf-8")
    for arguments in ([], ["--check"]):
        done = generate(copy, *arguments)
        assert done.returncode == 65
        assert said in done.stderr


def test_help_fits_eighty_columns() -> None:
    page = (ROOT / "docs" / "reference" / "commands.md").read_text("utf-8")
    helps = re.findall(r"<!-- generated: help.*?-->\n\n```text\n(.*?)```", page, re.S)
    assert len(helps) >= 9
    assert max(len(line) for text in helps for line in text.splitlines()) <= 80


def test_there_are_samples() -> None:
    assert [path.stem for path in SAMPLES] == ["cell", "guide", "runbook"]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_samples_are_what_the_page_says(path: Path, rehearser: Rehearser) -> None:
    document = load(path)
    problems = lint.errors(document) if path.stem == "cell" else lint.check(document)
    assert problems == []
    with rehearser.fresh(document, TEST_MAJOR) as fresh, fresh.executor(document) as executor:
        results = run_cells(executor, document.in_order(), document.cells)
    assert [result.status for result in results] == ["passed"] * len(document.cells), results
