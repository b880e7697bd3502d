"""What came of a document, as counts and as a report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pgrehearse.execution.results import CellResult, DocumentResult, wrong
from pgrehearse.text.document import parse

DOCUMENT = parse("# x\n\n```sql\nSELECT 1;\n```\n\n```sql\nSELECT 2;\n```\n", Path("docs/x.md"))
FIRST, SECOND = DOCUMENT.cells
PASSED = CellResult(FIRST, "passed")
FLAW = wrong("it raised", 8, statement="SELECT\n2", detail="ERROR", next_step="mend it")
FAILED = CellResult(SECOND, "failed", failure=FLAW)


def result(*cells: CellResult) -> DocumentResult:
    return DocumentResult(DOCUMENT, 18, "18.6", cells)


def test_green() -> None:
    assert result().green
    assert result(PASSED, CellResult(SECOND, "skipped", reason="needs 19")).green
    for status in ("failed", "notrun"):
        assert not result(PASSED, CellResult(SECOND, status)).green


def test_counts() -> None:
    found = result(PASSED, FAILED)
    assert [found.count(status) for status in ("passed", "failed", "skipped")] == [1, 1, 0]


def test_the_report_says_where_what_and_what_next() -> None:
    found = result(PASSED, FAILED, CellResult(SECOND, "notrun"), CellResult(SECOND, "notrun"))
    lines = replace(found, psql_line="psql x").report("docs/x.md").split("\n")
    assert lines[0] == "docs/x.md:8: it raised [PostgreSQL 18.6]"
    assert lines[1:3] == ["    SELECT", "    2"]
    for part in ("    ERROR", "  next: mend it", "  2 later cells did not run", "    psql x"):
        assert part in lines
    assert result(PASSED).report("x") == ""
    assert "1 later cell did not run" in result(FAILED, CellResult(SECOND, "notrun")).report("x")
