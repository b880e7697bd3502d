"""Rehearsals of whole documents: isolation, records, accept mode."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.execution import records
from pgrehearse.execution.rehearser import Rehearser
from pgrehearse.site.content.published import read
from pgrehearse.text.document import load
from pgrehearse.text.project import Project
from support.databases import STANDARD, names
from support.majors import LATER, LATER_SAID, TEST_MAJOR
from support.projects import HEAD, fence, write_document


def test_each_document_has_a_database_of_its_own(project: Project, rehearser: Rehearser) -> None:
    text = fence("CREATE TABLE same (a int);\nDELETE FROM items;") + fence("SELECT count(*) FROM items;")
    documents = [write_document(project, f"{name}.md", text) for name in "abc"]
    for document, upcoming in zip(documents, [*documents[1:], None], strict=True):
        result = rehearser.rehearse(document, TEST_MAJOR, upcoming)
        assert result.green, result.report("x")
        assert result.psql_line == ""
        assert " 0\n" in result.cells[1].output
    (only,) = rehearser._databases.values()
    left = names(only.server) - STANDARD
    assert len([name for name in left if "template" in name]) == 1, "the template is built once"
    assert len([name for name in left if "template" not in name]) <= 1, "all but the last are gone"
    only.close()
    assert names(only.server) == STANDARD


def test_sizes_and_runbooks(project: Project, rehearser: Rehearser) -> None:
    front = HEAD.replace("---\njupyter", "---\ndatabase: {rows: 7}\njupyter")
    phases = ("Preflight", "Apply", "Verify", "Roll back", "Rehearsal")
    cells = [fence("SELECT count(*) AS n FROM items;", expected=" n\n---\n 7\n(1 row)"),
             fence("DELETE FROM items WHERE n = 1;"), fence("SELECT 1;"), fence("SELECT 1;"),
             fence("INSERT INTO items VALUES (0);")]  # fmt: skip
    text = [f"## {phase}\n\n{c}" for phase, c in zip(phases, cells, strict=True)]
    result = rehearser.rehearse(write_document(project, "a.md", *text, head=front), TEST_MAJOR)
    assert [r.status for r in result.cells] == ["failed", "notrun", "notrun", "notrun", "passed"]
    text[0] = text[0].replace(" 7\n", " 8\n")
    result = rehearser.rehearse(write_document(project, "a.md", *text, head=front), TEST_MAJOR)
    assert result.green, result.report("a.md")


def test_records(project: Project, rehearser: Rehearser) -> None:
    document = write_document(
        project,
        "a.md",
        fence("SELECT 1;"),
        fence("SELECT 1;", LATER),
        fence("SELECT 1/0;"),
        fence("SELECT 2;"),
    )
    result = rehearser.rehearse(document, TEST_MAJOR)
    record = records.load(project.records / "records", "docs/a.md")
    run = record.runs[str(result.major)]
    assert run.text_digest == records.text_digest(document.text)
    assert [c.digest for c in run.cells] == [c.digest for c in document.cells]
    assert [(c.status, c.message) for c in run.cells] == [
        ("passed", ""),
        ("skipped", LATER_SAID),
        ("failed", "it raised SQLSTATE 22012"),
        ("notrun", "an earlier cell failed"),
    ]
    assert run.cells[2].message_line == document.cells[2].first_line
    assert "division by zero" in run.cells[2].output
    assert run.version == result.version


def test_a_wrong_form_is_refused_before_anything_runs(project: Project, rehearser: Rehearser) -> None:
    document = write_document(
        project, "a.md", fence("SELECT 1;"), fence("\\d"), fence("SELECT 1;", 'expekt="1"')
    )
    with pytest.raises(DocumentError) as caught:
        rehearser.rehearse(document, TEST_MAJOR)
    text = str(caught.value)
    assert f"{document.path}:11: psql command \\d is not SQL [sql]" in text
    assert f"{document.path}:14: unknown option 'expekt'" in text
    assert rehearser._databases == {}
    assert not project.records.exists()


def test_a_snippet_out_of_sync_is_refused(project: Project, rehearser: Rehearser) -> None:
    right = write_document(project, "a.md", fence("SELECT 1 AS one;", 'snippet="one"'))
    assert rehearser.rehearse(right, TEST_MAJOR).green
    wrong = write_document(project, "a.md", fence("SELECT 1 AS one", 'snippet="one"'))
    with pytest.raises(DocumentError, match="differs from the snippet 'one'") as caught:
        rehearser.rehearse(wrong, TEST_MAJOR)
    assert caught.value.line == wrong.cells[0].line
    assert "pgrehearse sync" in str(caught.value.next_step)
    with pytest.raises(DocumentError, match="no snippet 'two' for this cell"):
        rehearser.rehearse(write_document(project, "a.md", fence("SELECT 1;", 'snippet="two"')), TEST_MAJOR)


def test_a_broken_migration_blames_the_document_that_wanted_it(
    project: Project, rehearser: Rehearser
) -> None:
    (project.migrations / "2_b.sql").write_text("-- migrate:up\n\nSELECT nope;\n", "utf-8")
    front = HEAD.replace("---\njupyter", "---\ndatabase: empty\njupyter")
    first = write_document(project, "a.md", fence("SELECT 1;"), head=front)
    second = write_document(project, "b.md", fence("SELECT 1;"))
    assert rehearser.rehearse(first, TEST_MAJOR, second).green
    for _ in range(2):
        with pytest.raises(DocumentError, match="the template database could not be built") as caught:
            rehearser.rehearse(second, TEST_MAJOR, first)
        assert caught.value.location == f"{project.migrations / '2_b.sql'}:3"
    assert rehearser.rehearse(first, TEST_MAJOR).green


# --- accept mode ----------------------------------------------------------------------------------


def test_accept(project: Project, rehearser: Rehearser) -> None:
    document = write_document(
        project,
        "a.md",
        fence("SELECT 1 AS a;", expected="old\nolder"),
        "Prose.\n",
        fence("SELECT 2 AS b, now();", expected=" old | now\n---+---\n 2 | ...\n(1 row)"),
        fence("SELECT n FROM items WHERE n < 4 ORDER BY n;", expected=" old\n---\n...\n(3 rows)"),
        fence("SELECT 4;"),
        fence("SELECT 5/0;", 'expect="22012"', "old"),
    )
    result, changed = rehearser.accept(document, TEST_MAJOR)
    assert result.green, result.report("a.md")
    assert changed == [c.expected.line for c in document.cells if c.expected]
    text = document.path.read_text("utf-8")
    assert "```text\n a\n---\n 1\n(1 row)\n```\n\nProse.\n" in text
    assert "```text\nERROR:  division by zero\n```" in text
    assert "..." in text
    again, nothing = rehearser.accept(load(document.path), TEST_MAJOR)
    assert (again.green, nothing) == (True, [])
    assert document.path.read_text("utf-8") == text


def test_accept_touches_nothing_when_something_else_fails(project: Project, rehearser: Rehearser) -> None:
    document = write_document(project, "a.md", fence("SELECT 1;", expected="old"), fence("SELECT 1/0;"))
    before = document.path.read_bytes()
    result, changed = rehearser.accept(document, TEST_MAJOR)
    assert not result.green
    assert changed == []
    assert document.path.read_bytes() == before


def test_the_record_is_json_that_a_person_can_read(project: Project, rehearser: Rehearser) -> None:
    rehearser.rehearse(write_document(project, "a.md", fence("SELECT 'é';")), TEST_MAJOR)
    (file,) = (project.records / "records").glob("*.json")
    assert json.loads(file.read_text("utf-8"))["document"] == "docs/a.md"


NEEDS = HEAD.replace("---\njupyter", "---\nprograms: [sh, sample-of-a-program]\njupyter")


def test_a_document_whose_program_is_missing_is_skipped_as_a_whole_and_says_so(
    project: Project, rehearser: Rehearser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = write_document(project, "a.md", fence("SELECT 1/0;"), fence("SELECT 1;"), head=NEEDS)
    result = rehearser.rehearse(document, TEST_MAJOR)
    why = "needs sample-of-a-program, which is not on PATH here"
    assert [(cell.status, cell.reason) for cell in result.cells] == [("skipped", why)] * 2
    read(project, document.path).require_proof()  # published, with the reason

    (tmp_path / "bin").mkdir()
    found = tmp_path / "bin" / "sample-of-a-program"
    found.write_text("#!/bin/sh\n", "utf-8")
    found.chmod(0o755)
    monkeypatch.setenv("PATH", f"{found.parent}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(DocumentError):  # the record was made without it
        read(project, document.path).require_proof()
    result = rehearser.rehearse(document, TEST_MAJOR)
    assert [cell.status for cell in result.cells] == ["failed", "notrun"]
