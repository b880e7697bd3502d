"""Documents are measured: claims checked, evidence compared, a stale or missing one named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pgrehearse import sealed
from pgrehearse.errors import ExpectationError
from pgrehearse.execution.rehearser import Rehearser
from pgrehearse.measurement.evidence import cells
from pgrehearse.measurement.review import Review, review, stale_cells
from pgrehearse.servers import Server, Servers
from pgrehearse.text.document import Document, load
from pgrehearse.text.project import Project

HEAD = "---\ntitle: x\ndatabase: empty\njupyter:\n  jupytext:\n    main_language: python\n---\n\n"
TABLE = "```sql\nCREATE TABLE items (id int PRIMARY KEY, v int);\nINSERT INTO items VALUES (1, 1);\n```\n\n"


class Measuring:
    """One tiny project; ``measure`` writes the document and measures it."""

    def __init__(self, root: Path, server: Server) -> None:
        (root / "docs").mkdir()
        (root / "pyproject.toml").write_text("", "utf-8")
        self.project = Project.at(root)
        self.path = root / "docs" / "x.md"
        self.major = server.major

    def document(self, body: str) -> Document:
        self.path.write_text(HEAD + TABLE + body, "utf-8")
        return load(self.path)

    def measure(self, body: str) -> Review:
        with Rehearser(self.project, Servers(), keep=False) as rehearser:
            return review(rehearser, self.document(body), self.major, self.project.evidence)


@pytest.fixture
def measuring(tmp_path: Path, server: Server) -> Measuring:
    return Measuring(tmp_path, server)


def test_true_claims_wrong_claims_and_evidence(measuring: Measuring) -> None:
    claim = 'blocks="reads and writes" lock="items: ACCESS EXCLUSIVE" rewrite="no" scan="no"'
    body = f"```sql {claim}\nALTER TABLE items ADD COLUMN w int;\n```\n"
    first = measuring.measure(body)
    assert first.mismatches == ()
    assert first.statements == 2, "CREATE TABLE and ALTER TABLE"
    assert [change.message.count("no committed evidence") for change in first.changes] == [1, 1]

    cells.save(measuring.project.evidence, first.evidence)
    assert measuring.measure(body).green, "measured again: the same facts"

    wrong = measuring.measure(body.replace('rewrite="no"', 'rewrite="yes"'))
    assert [m.message.split(" [")[0] for m in wrong.mismatches] == ["rewrite: claimed yes, measured no"]
    assert wrong.mismatches[0].line == len((HEAD + TABLE).split("\n"))


def test_a_rewrite_and_a_concurrent_build(measuring: Measuring) -> None:
    body = (
        '```sql lock="items: ACCESS EXCLUSIVE" rewrite="yes" scan="yes"\n'
        "ALTER TABLE items ALTER v TYPE bigint;\n```\n\n"
        '```sql blocks="nothing" lock="items: SHARE UPDATE EXCLUSIVE" rewrite="no"\n'
        "CREATE INDEX CONCURRENTLY items_v ON items (v);\n```\n"
    )
    assert measuring.measure(body).mismatches == ()


def test_other_facts_than_the_committed_ones_are_red(measuring: Measuring) -> None:
    body = "```sql\nALTER TABLE items ADD COLUMN w int;\n```\n"
    cells.save(measuring.project.evidence, measuring.measure(body).evidence)
    file = next(measuring.project.evidence.glob("*.json"))
    changed = json.dumps(sealed.read(file)).replace("ACCESS EXCLUSIVE", "SHARE")
    sealed.write(file, json.loads(changed))
    found = measuring.measure(body)
    assert any(
        "locks was {'items': 'SHARE'}, is {'items': 'ACCESS EXCLUSIVE'}" in c.message for c in found.changes
    )


def test_evidence_of_another_text_is_stale(measuring: Measuring) -> None:
    body = "```sql\nALTER TABLE items ADD COLUMN w int;\n```\n"
    known = measuring.measure(body).evidence
    assert stale_cells(measuring.document(body), known) == []
    changed = measuring.document(body.replace("w int", "w bigint"))
    assert [cell.source for cell in stale_cells(changed, known)] == ["ALTER TABLE items ADD COLUMN w bigint;"]


def test_generated_statements_are_measured(measuring: Measuring) -> None:
    body = "```sql\nSELECT format('CREATE INDEX CONCURRENTLY %I ON items (v)', 'a b')\n\\gexec\n```\n"
    cells = measuring.measure(body).evidence.cells
    assert [statement.sql for statement in cells[-1].statements] == [
        'CREATE INDEX CONCURRENTLY "a b" ON items (v)'
    ]


def test_a_transaction_left_open_by_an_earlier_cell_counts(measuring: Measuring) -> None:
    body = (
        "```sql\nBEGIN;\nALTER TABLE items ADD COLUMN w int;\n```\n\n"
        "```sql\nCOMMIT;\nCOMMENT ON COLUMN items.w IS 'x';\n```\n"
    )
    last = measuring.measure(body).evidence.cells[-1].statements[0]
    assert last.facts[str(measuring.major)].sqlstate == ""


def test_a_red_document_cannot_be_measured(measuring: Measuring) -> None:
    body = "```sql\nSELECT 1/0;\n```\n\n```sql\nALTER TABLE items ADD COLUMN w int;\n```\n"
    with pytest.raises(ExpectationError, match="cannot measure"):
        measuring.measure(body)


def test_an_error_that_the_document_did_not_see_is_no_fact(measuring: Measuring) -> None:
    """The earlier cell's transaction is gone in the replay, so the column is not there any more."""
    body = (
        "```sql\nBEGIN;\nALTER TABLE items ADD COLUMN w int;\nSAVEPOINT s;\n```\n\n"
        '```sql expect="22012"\nSELECT 1/0;\n```\n\n'
        "```sql%s\nROLLBACK TO s;\nCOMMENT ON COLUMN items.w IS 'x';\n```\n"
    )
    found = measuring.measure(body % "")
    assert found.evidence.cells[-1].statements == ()
    claims = measuring.measure(body % ' blocks="nothing"')
    assert [m.message.split(":")[0] for m in claims.mismatches] == ["a claim about nothing"]


def test_an_expected_error_is_a_fact(measuring: Measuring) -> None:
    body = '```sql expect="42701"\nALTER TABLE items ADD COLUMN v int;\n```\n'
    [last] = measuring.measure(body).evidence.cells[-1].statements
    assert last.facts[str(measuring.major)].sqlstate == "42701"
