"""What a page says of the tables a runbook was tried on: counts by the worst server, words, and age."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.measurement.evidence import zoo as evidence
from pgrehearse.measurement.zoo.outcome import PairOutcome
from pgrehearse.measurement.zoo.shapes import Shape
from pgrehearse.site.parts import zoo
from pgrehearse.text.document import Document, parse
from pgrehearse.text.project import Project


def shape(name: str, title: str) -> Shape:
    return Shape(name, Path(f"{name}.sql"), title, {}, {}, {}, (), False, {}, "")


@pytest.fixture
def document(tmp_path: Path) -> Document:
    return parse("# Drop it\n\n## Apply\n", tmp_path / "runbooks" / "drop.md")


@pytest.fixture
def project(tmp_path: Path, document: Document) -> Project:
    made = Project.at(tmp_path)
    shapes = [shape("json", "A <json> column"), shape("odd", "An odd one")]
    for version, kind in (("15.18", "refused"), ("18.6", "broken")):
        major = version.partition(".")[0]
        results = {
            ("drop", "json", major): PairOutcome("done"),
            ("drop", "odd", major): PairOutcome(kind, f"stop: {kind}"),
        }
        evidence.save(made, version, [document], shapes, results)
    return made


def test_a_page_says_how_it_ended_on_each_table(project: Project, document: Document) -> None:
    html = zoo.tried_on(project, document)
    assert "Tried on 2 tables nobody made for it, PostgreSQL 15, 18: done on 1, broken on 1" in html
    assert "A &lt;json&gt; column" in html
    assert "done (15, 18)" in html
    assert "refused (15): stop: refused; broken (18): stop: broken" in html
    assert "earlier text" not in html


def test_a_page_says_that_another_text_was_tried(project: Project, document: Document) -> None:
    changed = parse(f"{document.text}\n```sql\nSELECT 1;\n```\n", document.path)
    html = zoo.tried_on(project, changed)
    for major in (15, 18):
        assert f"On 2 of them an earlier text of this runbook was tried on PostgreSQL {major}." in html


def test_a_runbook_that_was_tried_on_nothing_says_nothing(tmp_path: Path, document: Document) -> None:
    assert zoo.tried_on(Project.at(tmp_path), document) == ""


def test_the_matrix_shows_the_worst_of_all_servers(project: Project, document: Document) -> None:
    html = zoo.matrix(project, [document], lambda one: "drop/")
    assert "2 tables by 1 runbooks on PostgreSQL 15, 18: done on 1, broken on 1." in html
    assert '<a href="drop/">drop</a>' in html
    assert '<td title="refused on 15, broken on 18">✗</td>' in html
    assert '<td title="done on 15, 18">✓</td>' in html
