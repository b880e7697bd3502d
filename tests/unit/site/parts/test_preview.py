"""What a reader is told of a major that was tried before its release."""

from __future__ import annotations

from pathlib import Path

import pytest
from markupsafe import Markup

from pgrehearse.measurement import review
from pgrehearse.measurement.evidence.cells import (
    CellEvidence,
    DocumentEvidence,
    LastMeasured,
    StatementEvidence,
    cell_key,
)
from pgrehearse.measurement.review import has_facts, stale_preview
from pgrehearse.measurement.statement.facts import Facts
from pgrehearse.site.content.published import CellState, Published
from pgrehearse.site.parts.cell_block import executed
from pgrehearse.site.parts.changed import changed
from pgrehearse.site.parts.fact_lines import majors_range
from pgrehearse.text.document import Document, parse

TEXT = '# x\n\n```sql\nALTER TABLE t ADD a int;\n```\n\n```sql needs="19"\nREPACK t;\n```\n'
ONLY = Facts(locks={"t": "SHARE"})


def document(text: str = TEXT) -> Document:
    return parse(text, Path("docs/x.md"))


def known(of: Document, *, now: Facts = ONLY) -> DocumentEvidence:
    """Evidence of the first cell on both majors, and with the digest of those that need 19."""
    digest = review._only(of, 19)
    measured = {"18": LastMeasured("18.6", "2026-01-02"), "19": LastMeasured("19rc1", "2026-01-03", digest)}
    facts = {"18": ONLY, "19": now}
    cells = (CellEvidence(cell_key(of.cells[0]), (StatementEvidence("ALTER TABLE t ADD a int", facts),)),)
    return DocumentEvidence("docs/x.md", measured, cells)


def chips(item: Published, number: int) -> str:
    state = item.states[number]
    html = executed(state.cell.options, "sql", state.cell.source, (item, state), Markup("x"), Markup)
    return str(html)


def published(of: Document, evidence: DocumentEvidence) -> Published:
    skipped = CellState(of.cells[1], "skipped", "needs PostgreSQL 19 or later")
    return Published("docs/x.md", of, (CellState(of.cells[0], "run"), skipped), evidence=evidence)


def test_a_cell_that_no_server_here_runs_says_where_it_ran() -> None:
    text = document()
    said = "skipped: needs PostgreSQL 19 or later; ran on 19rc1, recorded 2026-01-03"
    assert said in chips(published(text, known(text)), 1)
    assert "recorded" not in chips(published(text, known(text)), 0)


@pytest.mark.parametrize(
    ("old", "new"), [("REPACK t", "REPACK u"), ("t;\n```\n", "t;\n```\n\n```text\nx\n```\n")]
)
def test_another_text_than_the_one_that_ran_is_stale_and_nothing_is_said_of_it(old: str, new: str) -> None:
    before = known(document())
    edited = document(new.join(TEXT.rsplit(old, 1)))
    assert stale_preview(document(), before) == []
    said = "cells that need PostgreSQL 19 changed since they ran on 19rc1, or never did"
    assert stale_preview(edited, before) == [said]
    assert stale_preview(document(), DocumentEvidence("docs/x.md")) == [said]
    assert "recorded" not in chips(published(edited, before), 1)


def test_what_only_a_preview_runs_is_reviewed_although_it_holds_no_ddl() -> None:
    only = '# x\n\n```sql\nSELECT 1;\n```\n\n```sql needs="19"\nSELECT 2;\n```\n'
    assert has_facts(document(only))
    assert has_facts(document(TEXT.replace(' needs="19"', "")))
    assert not has_facts(document(only.replace('"19"', '"18"')))


def test_cells_for_released_servers_need_no_preview() -> None:
    assert stale_preview(document(TEXT.replace('"19"', '"18"')), DocumentEvidence("docs/x.md")) == []
    edited = document(TEXT.replace("ADD a", "ADD b"))
    assert stale_preview(edited, known(document())) == [], "that cell is run on released servers"


@pytest.mark.parametrize(
    ("majors", "said"),
    [
        (["15", "16", "17", "18", "19"], "15–18, 19rc1"),
        (["18", "19"], "18, 19rc1"),
        (["19"], "19rc1"),
        (["15", "17"], "15, 17"),
    ],
)
def test_a_preview_is_called_by_its_version(majors: list[str], said: str) -> None:
    assert majors_range(majors) == said


def test_what_differs_between_two_majors_is_a_row_and_what_does_not_is_counted() -> None:
    text = document()
    same = changed([published(text, known(text))], 18, 19, lambda item: "x/")
    assert "1 statements" in same and "18 and on 19rc1: none locks" in same
    other = known(text, now=Facts(locks={"t": "ACCESS EXCLUSIVE"}))
    differs = changed([published(text, other)], 18, 19, lambda item: "x/")
    assert "1 did something else" in differs and "ALTER TABLE t ADD a int" in differs
    assert differs.index("SHARE on t") < differs.index("ACCESS EXCLUSIVE on t")
    assert "0 statements" in changed([published(text, known(text))], 17, 19, lambda item: "x/")
