"""Evidence of rehearsals: what is stale, what differs, what a runbook declares."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.measurement.evidence import rehearsals
from pgrehearse.measurement.rehearsals import REHEARSALS, Rehearsal
from pgrehearse.text.document import Document, load
from pgrehearse.text.project import Project
from support.projects import fence, project_at, write

FRONT = "---\njupyter:\n  jupytext:\n    main_language: python\ndatabase:\n  rows: 100\n{}---\n"
APPLY = "CREATE INDEX ON items (note);"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return project_at(tmp_path, {"runbooks/.keep": ""})


def runbook(project: Project, apply: str, *, front: str = "") -> Document:
    cells = {"Preflight": "SELECT 1;", "Apply": apply, "Verify": "SELECT 1;", "Roll back": "SELECT 1;"}
    body = "\n".join(f"## {phase}\n\n{fence(text)}" for phase, text in cells.items())
    return load(write(project.root, "runbooks/tiny.md", FRONT.format(front) + f"\n# Tiny\n\n{body}"))


def test_stale_evidence_is_named(project: Project) -> None:
    document = runbook(project, APPLY)
    assert rehearsals.stale(document, rehearsals.load(project, document), [17]) == [
        "not rehearsed on PostgreSQL 17"
    ]
    assert rehearsals.outdated(project, document) == [], "a project that keeps no such evidence"
    (project.root / "evidence" / "rehearsals").mkdir(parents=True)
    assert rehearsals.outdated(project, document) == ["this runbook was never rehearsed in five ways"]
    result = Rehearsal("straight", "passed", facts={"changes": ["a"]}, seconds=1.23)
    file = rehearsals.save(project, document, 17, "17.10", [result])
    before = file.read_text("utf-8")
    assert rehearsals.changes(document, rehearsals.load(project, document), "17.2", [result]) == []
    other = Rehearsal("straight", "passed", facts={"changes": ["b"]}, seconds=9)
    assert rehearsals.changes(document, rehearsals.load(project, document), "17.2", [other]) == [
        "straight: changes: committed, not found now: a",
        "straight: changes: found now, not committed: b",
    ]
    missing = [f"the rehearsal {name!r} was not run on PostgreSQL 17" for name in REHEARSALS[1:]]
    assert rehearsals.stale(document, rehearsals.load(project, document), [17]) == missing
    rehearsals.save(project, document, 17, "17.10", [result])
    assert file.read_text("utf-8") == before, "stable"

    edited = runbook(project, APPLY + "\nSELECT 2 AS two;")
    problem = "the runbook changed since it was rehearsed on PostgreSQL 17.10"
    assert rehearsals.stale(edited, rehearsals.load(project, edited), [17]) == [problem]
    assert rehearsals.outdated(project, edited) == [problem]
    known = rehearsals.load(project, edited)
    assert rehearsals.changes(edited, known, "17.2", [result]) == [f"stale: {problem}"]
    rehearsals.save(project, edited, 19, "19rc1", [result])
    known = rehearsals.load(project, edited)
    assert rehearsals.changes(edited, known, "19rc1", [result]) == []
    (said,) = rehearsals.changes(edited, known, "19.0", [result])
    assert said == "recorded on PostgreSQL 19rc1, before its release; 19.0 is here"
    file.write_text("[]", "utf-8")
    with pytest.raises(DocumentError, match="has no seal"):
        rehearsals.load(project, edited)


def test_front_matter_keys(project: Project) -> None:
    front = runbook(project, APPLY, front='undo: a\nstall: "250ms"\nbreaks: b\n').front
    assert (front.undo, front.stall, front.breaks) == ("a", 0.25, "b")
    assert runbook(project, APPLY).front.stall is None
    with pytest.raises(DocumentError, match=r"tiny\.md:7: stall is not a number with ms, s or min"):
        runbook(project, APPLY, front="stall: fast\n")
