"""Claims on cells: their grammar, and that a wrong one is red with what was claimed and what was measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.measurement.cells import check_claims, is_measured
from pgrehearse.measurement.evidence.cells import DocumentEvidence, LastMeasured, cell_digest, load, save
from pgrehearse.measurement.statement.facts import PROBES, Facts
from pgrehearse.text.document import Cell, Document, parse
from pgrehearse.text.options import parse_header

REWRITE = Facts(
    locks={"items": "ACCESS EXCLUSIVE"},
    rewrites=("items",),
    scans=("items",),
    probes={"items": dict.fromkeys(PROBES, "waits")},
)
BUILD = Facts(
    locks={"items": "SHARE"},
    scans=("items",),
    probes={"items": {p: "ok" if p.startswith("SELECT") else "waits" for p in PROBES}},
)


def cell(header: str, source: str = "ALTER TABLE items ADD COLUMN a int") -> tuple[Document, Cell]:
    document = parse(f"# x\n\n```{header}\n{source}\n```\n", Path("x.md"))
    return document, document.cells[0]


@pytest.mark.parametrize(
    "option",
    [
        'lock="items: SHARE"',
        'lock="type store: EXCLUSIVE, items: ACCESS EXCLUSIVE"',
        'lock="nothing"',
        'rewrite="no"',
        'scan="yes"',
        'blocks="reads and writes"',
    ],
)
def test_accepted(option: str) -> None:
    assert parse_header(f"sql {option}")[1] == []


@pytest.mark.parametrize(
    "option",
    [
        'lock="items"',
        'lock="items: share"',
        'lock="items: AccessExclusiveLock"',
        'lock=""',
        'rewrite="maybe"',
        'scan=""',
        'blocks="everything"',
    ],
)
def test_refused(option: str) -> None:
    assert [problem.check for problem in parse_header(f"sql {option}")[1]] == ["option-value"]


def test_claims_are_for_sql() -> None:
    assert parse_header('python lock="items: SHARE"')[1]


@pytest.mark.parametrize(
    ("claim", "facts"),
    [
        ('lock="items: ACCESS EXCLUSIVE"', REWRITE),
        ('blocks="reads and writes" rewrite="yes" scan="yes"', REWRITE),
        ('blocks="writes" rewrite="no" scan="yes"', BUILD),
        ('blocks="nothing" lock="nothing" rewrite="no" scan="no"', Facts()),
    ],
)
def test_true_claims_are_green(claim: str, facts: Facts) -> None:
    document, found = cell(f"sql {claim}")
    assert check_claims(document, found, [("x", facts)], "18.6") == []


@pytest.mark.parametrize(
    ("claim", "facts", "said"),
    [
        ('lock="items: SHARE"', REWRITE, "lock on items: claimed SHARE, measured ACCESS EXCLUSIVE"),
        ('lock="others: SHARE"', BUILD, "lock on others: claimed SHARE, measured none"),
        ('lock="nothing"', BUILD, "lock: claimed nothing, measured items: SHARE"),
        ('rewrite="no"', REWRITE, "rewrite: claimed no, measured yes"),
        ('scan="no"', BUILD, "scan: claimed no, measured yes"),
        ('blocks="nothing"', BUILD, "blocks: claimed nothing, measured writes"),
    ],
)
def test_wrong_claims_are_red(claim: str, facts: Facts, said: str) -> None:
    document, found = cell(f"sql {claim}")
    assert [m.head() for m in check_claims(document, found, [("x", facts)], "18.6")] == [
        f"x.md:3: {said} [PostgreSQL 18.6]"
    ]


@pytest.mark.parametrize(
    ("source", "measured"),
    [
        ("ALTER TABLE items ADD COLUMN a int", True),
        ("VACUUM items", True),
        ("SELECT format('CREATE INDEX CONCURRENTLY %I', 'x')\n\\gexec", True),
        ("SELECT format('ANALYZE %s', 'x')\n\\gexec", True),
        ("SELECT $$CREATE TABLE t (a int)$$ WHERE to_regclass('t') IS NULL\n\\gexec", True),
        ("SELECT 1", False),
        ("SELECT 'CREATE TABLE'", False),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", False),
        ("CREATE TEMP TABLE t (a int)", False),
    ],
)
def test_what_is_measured(source: str, measured: bool) -> None:
    assert is_measured(cell("sql", source)[1]) is measured


@pytest.mark.parametrize("claim", ['blocks="nothing"', 'lock="items: SHARE"', 'scan="no"'])
def test_a_claim_about_nothing_is_red(claim: str) -> None:
    document, found = cell(f"sql {claim}", "SELECT 1")
    assert is_measured(found), "so that somebody looks at its claim"
    assert [m.message for m in check_claims(document, found, [], "18.6")] == [
        "a claim about nothing: no statement of the cell was measured [PostgreSQL 18.6]"
    ]


def test_evidence_keeps_majors_together_and_survives_the_file(tmp_path: Path) -> None:
    _, found = cell("sql")
    evidence = DocumentEvidence("docs/x.md")
    for major, facts in (("17", BUILD), ("18", BUILD), ("15", REWRITE)):
        evidence = evidence.with_major(
            major, LastMeasured(f"{major}.1", "2026-11-22"), [found], [(found, [("ALTER x", facts)])]
        )
    file = save(tmp_path, evidence)
    assert file.read_text("utf-8").count('"majors"') == 2, "17 and 18 saw the same: one entry"
    again = load(tmp_path, "docs/x.md")
    assert again == evidence
    assert again.of(found) is not None
    assert again.of(cell("sql", "ALTER TABLE items ADD COLUMN b int")[1]) is None, "another text: stale"


def test_measuring_again_replaces_one_major_only() -> None:
    _, found = cell("sql")
    evidence = DocumentEvidence("docs/x.md")
    for major, facts in (("17", BUILD), ("18", BUILD), ("18", REWRITE)):
        evidence = evidence.with_major(
            major, LastMeasured("1", "2026-11-22"), [found], [(found, [("ALTER x", facts)])]
        )
    statement = evidence.cells[0].statements[0]
    assert statement.facts["17"].comparable() == BUILD.comparable()
    assert statement.facts["18"].comparable() == REWRITE.comparable()
    assert evidence.cells[0].cell == cell_digest(found)


def test_a_cell_for_other_majors_keeps_its_facts_and_a_removed_one_does_not() -> None:
    _, new = cell('sql needs="18"')
    measured = LastMeasured("1", "2026-11-22")
    evidence = DocumentEvidence("docs/x.md").with_major("18", measured, [new], [(new, [("ALTER x", BUILD)])])
    evidence = evidence.with_major("17", measured, [new], [])
    kept = evidence.of(new)
    assert kept is not None
    assert kept.majors() == ["18"]
    assert evidence.with_major("17", measured, [], []).cells == ()


def test_two_cells_of_the_same_text_have_evidence_of_their_own() -> None:
    block = "```sql\nALTER TABLE items ADD COLUMN a int\n```\n\n"
    cells = parse(f"# x\n\n{block}{block}", Path("x.md")).cells
    measured = LastMeasured("1", "2026-11-22")
    both = [(cells[0], [("ALTER x", BUILD)]), (cells[1], [("ALTER x", REWRITE)])]
    evidence = DocumentEvidence("docs/x.md").with_major("18", measured, cells, both)
    seen = [evidence.of(found) for found in cells]
    assert [one.statements[0].facts["18"] for one in seen if one] == [BUILD, REWRITE]
