"""What was measured, as a reader sees it: below blocks, in the lock reference, on a runbook's page."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse import sealed
from pgrehearse.errors import DocumentError
from pgrehearse.measurement.evidence.cells import CellEvidence, StatementEvidence
from pgrehearse.measurement.statement.facts import PROBES, Facts, together
from pgrehearse.measurement.words import main_locks, own_waits, phrases, waiting
from pgrehearse.site.parts.fact_lines import fact_lines, majors_range
from pgrehearse.site.parts.lock_reference import operation
from pgrehearse.site.parts.rehearsals import current, matrix, rehearsed, traffic
from pgrehearse.text.document import Document, load, parse
from pgrehearse.text.project import Project

ALTER = Facts(locks={"items": "ACCESS EXCLUSIVE"}, probes={"items": dict.fromkeys(PROBES, "waits")})
BUILD = Facts(
    locks={"items": "SHARE UPDATE EXCLUSIVE"},
    scans=("items",),
    waits_for=("ROW EXCLUSIVE", "old snapshots"),
    transactional=False,
)


def test_words() -> None:
    assert phrases(ALTER) == [
        "ACCESS EXCLUSIVE on items",
        "no rewrite",
        "no full scan",
        "readers and writers of items wait",
    ]
    assert phrases(BUILD)[2:] == [
        "reads all of items",
        "nobody waits",
        "waits for transactions holding ROW EXCLUSIVE and old snapshots",
    ]
    assert phrases(ALTER, in_turn=True)[-1] == "readers and writers of items wait for a moment at its end"
    assert phrases(BUILD, in_turn=True)[3] == "nobody waits"
    assert waiting(Facts(row_locks=("items",))) == "only writers of the same rows wait"
    assert waiting(Facts(probes={"a": {"SELECT": "ok", "DELETE": "waits"}})) == "DELETE on a wait"


def test_the_lock_that_matters_is_named_first() -> None:
    free = {"items": dict.fromkeys(PROBES, "ok")}
    dropped = Facts(locks={"idx": "ACCESS EXCLUSIVE", "items": "SHARE UPDATE EXCLUSIVE"}, probes=free)
    assert list(main_locks(dropped)) == ["SHARE UPDATE EXCLUSIVE", "ACCESS EXCLUSIVE"]
    attached = Facts(locks={"idx": "ACCESS EXCLUSIVE", "items": "ACCESS SHARE"}, probes=free)
    assert main_locks(attached) == {"ACCESS EXCLUSIVE": ["idx"]}, "any query takes ACCESS SHARE"
    two = Facts(
        locks={"a": "ROW SHARE", "b": "SHARE UPDATE EXCLUSIVE"}, probes={"a": {"SELECT": "ok"}, "b": {}}
    )
    assert main_locks(two) == {"SHARE UPDATE EXCLUSIVE": ["b"]}, "the strongest, not the first"


def test_statements_together() -> None:
    both = together([ALTER, BUILD])
    assert both.locks == {"items": "ACCESS EXCLUSIVE"}
    assert both.scans == ("items",)
    assert waiting(both) == waiting(together([BUILD, ALTER])) == "readers and writers of items wait"
    assert own_waits(both) == "writers in progress and old snapshots"
    assert own_waits(ALTER) == ""


def test_versions_that_differ_have_lines_of_their_own() -> None:
    html = fact_lines(
        CellEvidence("x", (StatementEvidence("S", {"15": ALTER, "16": ALTER, "17": ALTER, "18": BUILD}),))
    )
    assert html.count("<li ") == 2
    assert "PostgreSQL 15–17" in html
    assert 'data-run-majors="15 16 17"' in html
    assert "PostgreSQL 18" in html
    assert fact_lines(None) == ""


def test_a_copy_beside_traffic_says_when_others_wait() -> None:
    facts = {"19": ALTER}
    for sql, said in [
        ("REPACK (CONCURRENTLY) items", "wait for a moment at its end"),
        ("REPACK items", "items wait"),
    ]:
        html = fact_lines(CellEvidence("x", (StatementEvidence(sql, facts),)))
        assert said in html
        assert ("at its end" in html) == ("CONCURRENTLY" in sql)


def test_text_from_a_database_is_escaped() -> None:
    facts = Facts(locks={"<b>": "SHARE"})
    html = fact_lines(
        CellEvidence("x", (StatementEvidence("<i>", {"18": facts}), StatementEvidence("b", {"18": facts})))
    )
    assert "<b>" not in html
    assert "<i>" not in html


@pytest.mark.parametrize(
    ("majors", "said"),
    [(["15", "16", "17", "18"], "15–18"), (["15", "17", "18"], "15, 17, 18"), (["18"], "18")],
)
def test_ranges(majors: list[str], said: str) -> None:
    assert majors_range(majors) == said


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (
            "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0 AND (B)) NOT VALID",
            "ALTER TABLE ADD CONSTRAINT CHECK NOT VALID",
        ),
        ("COMMENT ON TABLE t IS 'ADD THIS'", "COMMENT ON TABLE"),
        ("COMMENT ON CONSTRAINT c ON t IS NULL", "COMMENT ON CONSTRAINT"),
        (
            "ALTER TABLE t ADD CONSTRAINT c -- A rule. CHECK (a > 0)",
            "ALTER TABLE ADD CONSTRAINT CHECK",
        ),
        (
            "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u (id) ON DELETE SET NULL NOT VALID",
            "ALTER TABLE ADD CONSTRAINT FOREIGN KEY REFERENCES NOT VALID",
        ),
        (
            "ALTER TABLE t ALTER COLUMN a SET NOT NULL, DROP CONSTRAINT c",
            "ALTER TABLE ALTER COLUMN SET NOT NULL, DROP CONSTRAINT",
        ),
        ("ALTER TABLE t DROP COLUMN IF EXISTS a", "ALTER TABLE DROP COLUMN"),
        ("CREATE UNIQUE INDEX i ON t USING btree (a) WHERE a > 0", "CREATE UNIQUE INDEX WHERE"),
        ("CREATE INDEX i ON ONLY t (a)", "CREATE INDEX ONLY"),
        ("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY)", "CREATE TABLE"),
        ("CREATE TABLE t (a int REFERENCES u (id))", "CREATE TABLE REFERENCES"),
        ("CREATE TABLE p PARTITION OF t FOR VALUES IN ('a')", "CREATE TABLE PARTITION OF"),
        ("CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()", "CREATE TRIGGER"),
        ("ALTER TYPE store ADD VALUE IF NOT EXISTS 'X'", "ALTER TYPE ADD VALUE IF NOT EXISTS"),
    ],
)
def test_operations_have_no_names(sql: str, said: str) -> None:
    assert operation(sql) == said


RUNBOOK = "---\ntitle: R\n---\n\n# R\n\n## Apply\n\n```sql\nSELECT 1;\n```\n"


@pytest.fixture
def runbook(tmp_path: Path) -> tuple[Project, Document]:
    (tmp_path / "runbooks").mkdir()
    path = tmp_path / "runbooks" / "r.md"
    path.write_text(RUNBOOK, "utf-8")
    return Project.at(tmp_path), load(path)


def keep(project: Project, document: Document, text: str) -> None:
    names = ("straight", "repeated", "interrupted", "under traffic")
    facts: dict[str, dict[str, str]] = {name: {"status": "passed", "reason": ""} for name in names}
    facts["undone"] = {"status": "not undoable", "reason": "no way <back>"}
    load_ = {
        "conditions": {"rows": 100000, "cores": 2},
        "reads": {"worst_ms": 4.2},
        "writes": {"worst_ms": 9.9},
    }
    entry = {
        "version": "18.6",
        "date": "2026-11-22",
        "digest": parse(text, document.path).executed_digest,
        "facts": facts,
        "measured": {"under traffic": load_},
    }
    folder = project.evidence / "rehearsals"
    folder.mkdir(parents=True)
    data = {"runbook": "runbooks/r.md", "majors": {"18": entry}}
    sealed.write(folder / "r.json", data)


def test_a_rehearsed_runbook_says_how_it_went(runbook: tuple[Project, Document]) -> None:
    project, document = runbook
    assert rehearsed(project, document, draft=False) == "", "a project without evidence shows none"
    keep(project, document, document.text)
    html = rehearsed(project, document, draft=False)
    assert "Rehearsed in five ways on PostgreSQL 18, 2026-11-22: 4 passed, 1 not undoable" in html
    known = current(project, document, draft=False)
    assert (
        traffic(known) == "slowest read 4 ms, slowest write 10 ms, with 100,000 rows, 2 cores (PostgreSQL 18)"
    )
    assert traffic(None) == "not run"
    assert "not undoable: no way &lt;back&gt; (18)" in html
    assert html.count("passed (18)") == 4
    assert "10 ms" in matrix(project, [document], lambda _: "r/", draft=False)


def test_stale_rehearsals_stop_the_build(runbook: tuple[Project, Document]) -> None:
    project, document = runbook
    keep(project, document, "another text")
    with pytest.raises(DocumentError, match="changed since it was rehearsed"):
        rehearsed(project, document, draft=False)
    assert rehearsed(project, document, draft=True) == "", "a draft goes on without them"
    assert "not run" in matrix(project, [document], lambda _: "", draft=True)
