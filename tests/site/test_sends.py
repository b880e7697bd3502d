"""The first screen of each runbook shows what locks most, and how a long statement ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.site.content.published import Published, read
from pgrehearse.site.parts.runbook_summary import _cells
from pgrehearse.site.parts.sends import sends
from pgrehearse.text.claims import MODES
from pgrehearse.text.project import Project

ROOT = Path(__file__).parents[2]
PROJECT = Project.find(ROOT)
NAMES = sorted(path.stem for path in PROJECT.runbooks.glob("*.md"))
#: They change rows and no definition, or define things in a block whose statements were not measured apart.
SILENT = {"backfill-in-batches", "key-bigint"}


def runbook(name: str) -> Published:
    return read(PROJECT, PROJECT.runbooks / f"{name}.md")


def shown(name: str) -> list[tuple[str, str]]:
    item = runbook(name)
    return [(sql, majors) for sql, majors, _ in sends(item, [cells for _, _, cells in _cells(item.document)])]


@pytest.mark.parametrize("name", NAMES)
def test_each_major_is_shown_a_statement_that_locks_as_strongly_as_any(name: str) -> None:
    item = runbook(name)
    steps = [cells for _, _, cells in _cells(item.document)]
    assert item.evidence is not None
    evidence = [one for cells in steps for cell in cells if (one := item.evidence.of(cell))]
    statements = [one for of_cell in evidence for one in of_cell.statements]
    ends = [(sql[:60], sql[-20:]) for sql, *_ in sends(item, steps)]
    if name in SILENT:
        assert not ends
        return
    for major in item.evidence.measured:
        locks = [
            (" ".join(one.sql.split()), max(MODES.index(mode) for mode in one.facts[major].locks.values()))
            for one in statements
            if major in one.facts and one.facts[major].locks and not of_remains(name, one.sql)
        ]
        seen = [strength for text, strength in locks if (text[:60], text[-20:]) in ends]
        assert seen, (name, major)
        assert max(seen) == max(strength for _, strength in locks), (name, major)


def of_remains(name: str, sql: str) -> bool:
    """What an earlier try left is dropped: nobody meets that lock."""
    return sql.startswith("DROP INDEX CONCURRENTLY") and name not in ("index-drop", "index-replace")


def test_what_differs_by_major_is_shown_for_each() -> None:
    assert [(sql[-25:], majors) for sql, majors in shown("constraint-not-null")] == [
        ("NULL updated_at NOT VALID", "18, 19rc1"),
        ("ist_items_updated_at_not_null"[-25:], "18, 19rc1"),
        ("d_at IS NOT NULL) NOT VALID"[-25:], "15–17"),
        ("N updated_at SET NOT NULL"[-25:], "15–17"),
    ]


def test_a_long_statement_keeps_its_end() -> None:
    ((first, _), _) = shown("constraint-check")
    assert " … " in first
    assert first.endswith("NOT VALID")
    assert not first.split(" … ")[0].endswith(" ")


def test_a_drop_is_shown_where_it_is_the_step_itself() -> None:
    assert [sql.split(" wishlist")[0] for sql, _ in shown("index-replace")] == [
        "CREATE INDEX CONCURRENTLY",
        "DROP INDEX CONCURRENTLY",
    ]
    assert all("DROP INDEX" not in sql for sql, _ in shown("index-create"))
