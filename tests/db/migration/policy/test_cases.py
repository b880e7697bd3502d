"""Each case of ``cases/`` twice: the red folder is refused where it is marked, the green one is accepted."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pgrehearse.migration.policy.register import CHECKS
from pgrehearse.migration.policy.report import PolicyReport

CASES = sorted((Path(__file__).parent / "cases").iterdir())


def marked(folder: Path) -> list[tuple[str, int, str]]:
    """File, line and check of every ``-- red: CHECK`` in the files of ``folder``."""
    return sorted(
        (file.name, number, name)
        for file in folder.glob("*.sql")
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if (match := re.search(r"-- red: ([\w -]+)$", line))
        for name in match[1].split()
    )


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_red_is_refused_at_its_line(case: Path, run: Callable[[Path], PolicyReport]) -> None:
    wanted = marked(case / "red")
    assert wanted, "a red case marks a line"
    report = run(case / "red")
    assert sorted((p.path.name, p.line, p.check) for p in report.problems) == wanted
    for problem in report.problems:
        said = problem.text(lambda path: path.name)
        assert (
            f"{problem.path.name}:{problem.line}: rule {CHECKS[problem.check].rule} ({problem.check}): "
            in said
        )
        assert "\n  next: " in said
        assert "\n  see: " in said


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_green_is_accepted(case: Path, run: Callable[[Path], PolicyReport]) -> None:
    said = [problem.text(lambda path: path.name) for problem in run(case / "green").problems]
    assert said == []


def test_every_check_has_a_red_case() -> None:
    shown = {name for case in CASES for _, _, name in marked(case / "red")}
    assert shown | {"applied"} == set(CHECKS)  # "applied" needs git or a ledger: test_history.py
