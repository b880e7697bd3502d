"""The page about proof: its sums are those of the records, and reasons are told."""

from __future__ import annotations

import re
from pathlib import Path

from pgrehearse.execution.records import CellRecord, Run
from pgrehearse.site.content.published import CellState, Counts, Published
from pgrehearse.site.parts.proof_tables import proof_table
from pgrehearse.text.document import Cell, parse

TEXT = (
    "---\ntitle: {title}\n---\n\n```sql\nSELECT 1;\n```\n\n```sql\nSELECT 2;\n```\n\n"
    '```{{.sql .noeval title="Needs a second server"}}\nSELECT 3;\n```\n'
)


def published(title: str, *reasons: str, majors: tuple[str, ...] = ("18",)) -> Published:
    """A document whose first cells were skipped for these reasons, and whose others ran."""
    document = parse(TEXT.format(title=title), Path("x.md"))

    def record(number: int, cell: Cell) -> CellRecord:
        if number < len(reasons):
            return CellRecord(cell.digest, "sql", cell.line, "skipped", message=reasons[number])
        return CellRecord(cell.digest, "sql", cell.line, "passed")

    records = tuple(record(number, cell) for number, cell in enumerate(document.cells))
    states = tuple(
        CellState(cell, "skipped" if one.status == "skipped" else "run", one.message)
        for cell, one in zip(document.cells, records, strict=True)
    )
    runs = {major: Run(f"{major}.1", f"2026-01-{major}T03:04:05Z", "x", 0.1, records) for major in majors}
    return Published("docs/x.md", document, states, runs)


def rows(html: str) -> list[str]:
    found = re.findall(r"<tr>(.*?)</tr>", html, re.S)
    return [
        " | ".join(
            " ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.split(r"</t[dh]>", row)[:-1]
        )
        for row in found
    ]


def test_nothing_published() -> None:
    html = proof_table([], lambda item: "")
    assert 'data-run-total="0"' in html and "<table" not in html
    prose = Published("docs/x.md", parse("# x\n", Path("x.md")), ())
    assert proof_table([prose], lambda item: "") == html, "a page without blocks proves nothing"


def test_the_sums() -> None:
    documents = [published("One"), published("Two", "needs PostgreSQL 19", majors=("15", "18"))]
    html = proof_table(documents, lambda item: "page/")
    assert 'data-run-total="6"' in html
    assert "6 blocks: 3 run, 2 illustration, 1 skipped (needs PostgreSQL 19)" in html
    head, fifteen, eighteen, _, one, two = rows(html)
    assert head.startswith("PostgreSQL | documents | cells run")
    assert fifteen == "15.1 | 1 | 1 | 1 (needs PostgreSQL 19) | 2026-01-15"
    assert eighteen == "18.1 | 2 | 3 | 1 (needs PostgreSQL 19) | 2026-01-18"
    assert one.startswith("One | 3 | 2 | 1 | 0")
    assert two.endswith("| 15, 18")
    assert html.count('href="page/"') == 2


def test_several_reasons_have_their_numbers() -> None:
    html = proof_table([published("One", "needs <19>", "until 14")], lambda item: "")
    assert "2 (1 needs &lt;19&gt;; 1 until 14)" in html
    assert "<19>" not in html


def test_a_title_is_text() -> None:
    html = proof_table([published('"<b> | *x* `y`"')], lambda item: "p/")
    assert "&lt;b&gt; | x y" in html


def test_counts_add_up() -> None:
    counts = Counts(198, 9, (("a", 4), ("b", 1)))
    assert (counts.skipped, counts.blocks) == (5, 212)
    assert counts.sentence == "212 blocks: 198 run, 9 illustration, 5 skipped (4: a; 1: b)"
    assert Counts().sentence == "0 blocks: 0 run, 0 illustration, 0 skipped"
