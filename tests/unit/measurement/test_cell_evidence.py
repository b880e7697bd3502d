"""Evidence of cells as a file: what is kept, what is replaced, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse import sealed
from pgrehearse.errors import DocumentError
from pgrehearse.measurement.evidence import cells
from pgrehearse.measurement.evidence.cells import (
    CellEvidence,
    DocumentEvidence,
    LastMeasured,
    StatementEvidence,
)
from pgrehearse.measurement.statement.facts import Facts
from pgrehearse.text.document import Cell, parse
from support.projects import write

SHARE, EXCLUSIVE = Facts(locks={"a": "SHARE"}), Facts(locks={"a": "ACCESS EXCLUSIVE"}, rewrites=("a",))
TODAY = LastMeasured("18.6", "2026-01-02")


def document(*sources: str) -> tuple[Cell, ...]:
    return parse("\n".join(f"```sql\n{source}\n```\n" for source in sources), Path("x.md")).cells


MAJORS = ["15", "16", "17", "18"]
STATEMENTS = st.builds(
    StatementEvidence,
    st.sampled_from(["ALTER TABLE a ADD b int", 'DROP TABLE "Größe; x"', "SELECT 'a\nb'"]),
    st.dictionaries(
        st.sampled_from(["15", "16", "17", "18"]), st.sampled_from([SHARE, EXCLUSIVE]), min_size=1
    ),
)
CELLS = st.builds(CellEvidence, st.sampled_from(["a1", "a1.2"]), st.lists(STATEMENTS, max_size=2).map(tuple))
EVIDENCE = st.builds(
    DocumentEvidence,
    st.just("docs/a.md"),
    st.dictionaries(st.sampled_from(["15", "18"]), st.just(TODAY)),
    st.lists(
        st.builds(CellEvidence, st.sampled_from(["a1", "a1.2"]), st.lists(STATEMENTS, max_size=2).map(tuple)),
        max_size=3,
    ).map(tuple),
)


@given(EVIDENCE)
def test_what_is_saved_is_loaded(
    tmp_path_factory: pytest.TempPathFactory, evidence: DocumentEvidence
) -> None:
    folder = tmp_path_factory.getbasetemp() / "evidence"
    file = cells.save(folder, evidence)
    first = file.read_bytes()
    assert cells.load(folder, "docs/a.md") == evidence
    assert cells.save(folder, cells.load(folder, "docs/a.md")).read_bytes() == first


def test_majors_that_saw_the_same_share_an_entry(tmp_path: Path) -> None:
    facts = {"15": SHARE, "16": EXCLUSIVE, "17": SHARE}
    evidence = DocumentEvidence("docs/a.md", {}, (CellEvidence("x", (StatementEvidence("S", facts),)),))
    ((cell,),) = [json.loads(cells.save(tmp_path, evidence).read_text("utf-8"))["cells"]]
    assert [group["majors"] for group in cell["statements"][0]["facts"]] == [["15", "17"], ["16"]]


def test_nothing_measured_is_empty(tmp_path: Path) -> None:
    assert cells.load(tmp_path, "docs/a.md") == DocumentEvidence("docs/a.md")


NO_FACTS = '{"sql": "x", "facts": [{"majors": ["18"], "facts": []}]}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "3",
        '"x"',
        "{}",
        "\xff",
        '{"measured": [], "cells": []}',
        '{"measured": {}, "cells": 3}',
        '{"measured": {}, "cells": [3]}',
        '{"measured": {"18": 3}, "cells": []}',
        f'{{"measured": {{}}, "cells": [{{"cell": "x", "statements": [{NO_FACTS}]}}]}}',
    ],
)
def test_a_file_that_is_no_evidence_is_named(tmp_path: Path, text: str) -> None:
    file = write(tmp_path, "docs.a.json", "")
    file.write_bytes(text.encode("latin-1"))
    if text.startswith('{"measured"'):
        sealed.write(file, {"document": "docs/a.md", **json.loads(text)})
    with pytest.raises(DocumentError, match=r"this evidence (cannot be read|has no seal)") as caught:
        cells.load(tmp_path, "docs/a.md")
    assert caught.value.path == file


def test_the_same_text_twice_is_two_cells() -> None:
    first, other, second = document("DROP TABLE a", "DROP TABLE b", "DROP TABLE a")
    keys = [cells.cell_key(cell) for cell in (first, other, second)]
    assert len(set(keys)) == 3
    assert keys[2] == f"{keys[0]}.2"


def test_a_major_is_replaced_and_others_stay() -> None:
    (cell,) = present = document("ALTER TABLE a ADD b int")
    start = DocumentEvidence("x.md")
    old = start.with_major("15", TODAY, present, [(cell, [("S", SHARE), ("gone", SHARE)])])
    both = old.with_major("18", TODAY, present, [(cell, [("S", EXCLUSIVE)])])
    again = both.with_major("18", TODAY, present, [(cell, [("S", SHARE)])])
    found = again.of(cell)
    assert found is not None
    assert {s.sql: s.facts for s in found.statements} == {
        "S": {"15": SHARE, "18": SHARE},
        "gone": {"15": SHARE},
    }
    assert found.majors() == ["15", "18"]
    same = again.with_major("18", TODAY, present, [(cell, [("S", SHARE)])])
    assert same == again, "measuring the same again changes nothing"


def test_a_cell_that_changed_loses_its_evidence() -> None:
    (cell,) = before = document("ALTER TABLE a ADD b int")
    old = DocumentEvidence("x.md").with_major("18", TODAY, before, [(cell, [("S", SHARE)])])
    (changed,) = after = document("ALTER TABLE a ADD c int")
    assert old.of(changed) is None
    assert [entry.statements for entry in old.with_major("15", TODAY, after, []).cells] == [()]
