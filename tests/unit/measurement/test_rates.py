"""Which kinds of work a statement did follows from what PostgreSQL said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.measurement.evidence import rates as evidence
from pgrehearse.measurement.rates import KINDS, Rates, kinds
from pgrehearse.measurement.statement.facts import Facts
from pgrehearse.measurement.words import lasting
from pgrehearse.text.project import Project

BUILDS = 'building index "a b" on table "t" serially'


@pytest.mark.parametrize(
    ("messages", "found"),
    [
        ((), ()),
        (('verifying table "t"',), ("check",)),
        (('validating foreign key constraint "verifying table"',), ("foreign key",)),
        ((BUILDS,), ("index",)),
        ((BUILDS, 'verifying table "t"'), ("check", "index")),
        (('rewriting table "t"', BUILDS), ("rewrite",)),
        (('building index "pg_toast_N_index" on table "pg_toast_N" serially',), ()),
        (('NOTICE: rewriting table "t"',), ()),
    ],
)
def test_what_postgresql_said_decides(messages: tuple[str, ...], found: tuple[str, ...]) -> None:
    assert kinds(Facts(messages=messages)) == found


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.0, "0.1 s"), (0.44, "0.4 s"), (40.2, "40 s"), (179, "179 s"), (181, "3 min"), (4800, "80 min")],
)
def test_a_duration_in_words(seconds: float, said: str) -> None:
    assert lasting(seconds) == said


def test_hours_are_said_with_their_minutes_or_alone() -> None:
    assert (lasting(7200), lasting(7500)) == ("2 h", "2 h 5 min")


def test_majors_are_kept_beside_each_other_and_an_edit_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.pgrehearse]\n", encoding="utf-8")
    project = Project.find(tmp_path)
    rates = Rates(1 << 20, 9000, dict.fromkeys(KINDS, 1.5), {"index": 0.2})
    assert evidence.load(project) == {}
    evidence.save(project, 17, "17.1", Rates(1, 1))
    file = evidence.save(project, 18, "18.1", rates)
    known = evidence.load(project)
    assert (list(known), known["18"].rates, known["18"].version) == (["17", "18"], rates, "18.1")
    file.write_text(file.read_text("utf-8").replace("1.5", "0.5"), encoding="utf-8")
    with pytest.raises(DocumentError, match="changed by hand"):
        evidence.load(project)
