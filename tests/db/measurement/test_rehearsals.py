"""The five rehearsals: tiny runbooks with one flaw each turn red and say which; a good one is green."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pgrehearse import sealed
from pgrehearse.execution.rehearser import Rehearser
from pgrehearse.main import cli
from pgrehearse.measurement.rehearsals import REHEARSALS, Rehearsal, rehearse
from pgrehearse.servers import Servers
from pgrehearse.text.document import Document, load
from pgrehearse.text.project import Project
from support.majors import TEST_MAJOR
from support.projects import project_at

ROWS = 500
FRONT = "---\njupyter:\n  jupytext:\n    main_language: python\ndatabase:\n  rows: 100\n{}---\n"
MIGRATION = """-- migrate:up
CREATE TYPE kind AS ENUM ('one', 'two');
CREATE TABLE items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind kind NOT NULL, note text);
CREATE FUNCTION slow(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_sleep(0.008); RETURN $1; END $$;
"""
SEED = (
    "INSERT INTO items (kind, note) SELECT 'one', 'note ' || n FROM generate_series(1, :'rows'::int) AS n;\n"
)
BUILD = """SELECT 'DROP INDEX CONCURRENTLY items_note_idx' FROM pg_index
WHERE indexrelid = to_regclass('items_note_idx') AND NOT indisvalid
\\gexec
SELECT 'CREATE INDEX CONCURRENTLY items_note_idx ON items (note)'
WHERE to_regclass('items_note_idx') IS NULL
\\gexec"""
DROP = "DROP INDEX CONCURRENTLY IF EXISTS items_note_idx;"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    files = {
        "db/migrations/1_items.sql": MIGRATION,
        "db/seed.sql": SEED,
        "runbooks/.keep": "",
    }
    return project_at(tmp_path, files)


@pytest.fixture
def rehearser(project: Project) -> Iterator[Rehearser]:
    with Rehearser(project, Servers(), keep=False) as made:
        yield made


def runbook(
    project: Project, apply: str, back: str = DROP, *, front: str = "", verify: str = "SELECT 1 AS one;"
) -> Document:
    """A runbook; a phase that begins with ``` stands as it is, another one is a cell of SQL."""
    parts = {"Preflight": "SELECT 1 AS one;", "Apply": apply, "Verify": verify, "Roll back": back}
    cells = {
        phase: text if text.startswith("```") else f"```sql\n{text}\n```" for phase, text in parts.items()
    }
    body = "\n\n".join(f"## {phase}\n\n{text}" for phase, text in cells.items())
    path = project.runbooks / "tiny.md"
    path.write_text(FRONT.format(front) + f"\n# Tiny\n\n{body}\n", "utf-8")
    return load(path)


def one(rehearser: Rehearser, document: Document, name: str) -> Rehearsal:
    (result,) = rehearse(rehearser, document, TEST_MAJOR, [name], rows=ROWS)
    assert result.name == name
    return result


def test_a_good_runbook_passes_all_five(project: Project, rehearser: Rehearser) -> None:
    document = runbook(project, BUILD)
    results = {result.name: result for result in rehearse(rehearser, document, TEST_MAJOR, rows=ROWS)}
    assert {name: (r.status, r.reason) for name, r in results.items() if name != "under traffic"} == {
        name: ("passed", "") for name in REHEARSALS if name != "under traffic"
    }
    assert "+ CREATE INDEX items_note_idx ON public.items USING btree (note);" in str(
        results["straight"].facts["changes"]
    )
    during = results["interrupted"].facts["killed during"]
    assert "CREATE INDEX CONCURRENTLY items_note_idx ON items (note): waiting for old snapshots" in during
    traffic = results["under traffic"]
    assert (traffic.status, traffic.facts["errors"]) == ("passed", [])
    assert traffic.reason == f"table items has {ROWS} rows, fewer than 100000", "said, not hidden"
    for kind in ("reads", "writes"):
        measured = traffic.measured[kind]
        assert measured["done"] >= measured["due"] > 0
        assert measured["gap_ms"] > 0


def test_roll_back_forgets_an_index(project: Project, rehearser: Rehearser) -> None:
    both = "CREATE INDEX items_note_idx ON items (note);\nCREATE INDEX items_kind_idx ON items (kind);"
    result = one(rehearser, runbook(project, both), "undone")
    assert result.status == "failed"
    assert "+ CREATE INDEX items_kind_idx ON public.items" in result.reason
    assert "items_note_idx" not in result.reason


def test_roll_back_forgets_a_row(project: Project, rehearser: Rehearser) -> None:
    change = "UPDATE items SET note = 'changed' WHERE id = 7;"
    result = one(rehearser, runbook(project, change, "SELECT 1 AS one;"), "undone")
    assert result.status == "failed"
    assert "public.items: 1 rows less, 1 rows more, such as 7 one changed" in result.reason


def test_roll_back_that_works_in_the_session_of_apply_only(project: Project, rehearser: Rehearser) -> None:
    setting = f"CREATE TEMP TABLE state AS SELECT 1;\n{BUILD}"
    result = one(rehearser, runbook(project, setting, f"SELECT * FROM state;\n{DROP}"), "undone")
    assert result.status == "failed"
    assert result.reason.startswith("Roll back: line")
    assert 'relation "state" does not exist' in result.reason


def test_what_cannot_be_undone_must_say_so_and_be_so(project: Project, rehearser: Rehearser) -> None:
    value = "ALTER TYPE kind ADD VALUE IF NOT EXISTS 'three';"
    nothing = "SELECT 1 AS one;"
    silent = one(rehearser, runbook(project, value, nothing), "undone")
    assert silent.status == "failed"
    said = one(rehearser, runbook(project, value, nothing, front="undo: a value stays\n"), "undone")
    assert (said.status, said.reason) == ("not undoable", "a value stays")
    assert any("'three'" in line for line in said.facts["left"])
    wrong = one(rehearser, runbook(project, BUILD, front="undo: an index stays\n"), "undone")
    assert wrong.status == "failed"
    assert "remove the key" in wrong.reason
    red = one(rehearser, runbook(project, value, "SELECT 1 / 0;", front="undo: a value stays\n"), "undone")
    assert red.status == "failed", "Roll back must be green all the same"


def test_a_runbook_that_cannot_be_repeated(project: Project, rehearser: Rehearser) -> None:
    document = runbook(project, "ALTER TABLE items ADD COLUMN extra int;")
    result = one(rehearser, document, "repeated")
    assert result.status == "failed"
    line = next(n for n, text in enumerate(document.text.split("\n"), 1) if "ADD COLUMN" in text)
    assert result.reason.startswith(f"second time: line {line}: it raised SQLSTATE 42701")


def test_a_second_run_that_changes_something(project: Project, rehearser: Rehearser) -> None:
    result = one(rehearser, runbook(project, "INSERT INTO items (kind) VALUES ('two');"), "repeated")
    assert result.status == "failed"
    assert "the second Apply changes: " in result.reason
    assert "public.items: 0 rows less, 1 rows more" in result.reason


def test_a_kill_that_leaves_an_invalid_index(project: Project, rehearser: Rehearser) -> None:
    """IF NOT EXISTS takes what a killed build left for the index, and every cell is green."""
    hidden = "CREATE INDEX CONCURRENTLY IF NOT EXISTS items_note_idx ON items (note);"
    result = one(rehearser, runbook(project, hidden), "interrupted")
    assert result.status == "failed"
    assert result.reason.startswith("killed in CREATE INDEX CONCURRENTLY IF NOT EXISTS items_note_idx")
    assert "+ INVALID index items_note_idx" in result.reason


def test_a_kill_between_two_statements(project: Project, rehearser: Rehearser) -> None:
    """The comment depends on the table being new: a run that is started again leaves it out."""
    pair = (
        "SELECT 'CREATE TABLE extra ()', 'COMMENT ON TABLE extra IS ''new'''\n"
        "WHERE to_regclass('extra') IS NULL\n\\gexec"
    )
    result = one(rehearser, runbook(project, pair, "DROP TABLE IF EXISTS extra;"), "interrupted")
    assert result.status == "failed"
    assert result.reason.startswith("killed after CREATE TABLE extra ()")
    assert "- COMMENT ON TABLE public.extra IS 'new';" in result.reason


def test_what_never_waited_is_said(project: Project, rehearser: Rehearser) -> None:
    document = runbook(project, "SET lock_timeout = '2s';\nSELECT count(*) > 0 AS some FROM items;")
    result = one(rehearser, document, "interrupted")
    assert result.status == "passed"
    assert result.facts["killed during"] == []
    assert result.facts["waited for nothing"] == ["SELECT count(*) > 0 AS some FROM items"]
    python = one(rehearser, runbook(project, "```python\nprint(1)\n```"), "interrupted")
    assert python.status == "not run"
    assert "a python cell in Apply" in python.reason


SLOW = "CREATE INDEX {} items_slow_idx ON items (slow(note));"


def test_a_stall_beyond_the_budget(project: Project, rehearser: Rehearser) -> None:
    """500 rows at 8 ms each: a build that blocks writers does so for four seconds, each time."""
    budget = 'stall: "2500ms"\n'
    unsafe = one(rehearser, runbook(project, SLOW.format(""), front=budget), "under traffic")
    assert unsafe.status == "failed"
    assert unsafe.reason.startswith("the longest request, one of the writes, took ")
    assert unsafe.reason.endswith("the budget stall is 2500 ms")
    safe = one(rehearser, runbook(project, SLOW.format("CONCURRENTLY"), front=budget), "under traffic")
    assert safe.status == "passed", safe.reason


def test_a_stall_that_does_not_come_again(project: Project, rehearser: Rehearser) -> None:
    """A machine that is busy elsewhere for a moment: here whoever comes first makes all others wait."""
    first = """DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'was_here') THEN
        CREATE ROLE was_here;
        LOCK TABLE items;
        PERFORM pg_sleep(6);
    END IF;
END $$;"""
    budget = 'stall: "4s"\n'
    result = one(rehearser, runbook(project, first, front=budget), "under traffic")
    assert result.status == "passed", result.reason
    assert max(result.measured[kind]["worst_ms"] for kind in ("reads", "writes")) < 4000


def test_the_load_is_open_loop(project: Project, rehearser: Rehearser) -> None:
    """In an outage of writers each request that is due is late; readers complete all the time."""
    result = one(rehearser, runbook(project, SLOW.format("")), "under traffic")
    reads, writes = result.measured["reads"], result.measured["writes"]
    assert writes["worst_ms"] > 3000
    assert writes["gap_ms"] > 3000
    assert writes["done"] >= writes["due"], "late, and not left out"
    late = [worst for worst in writes["worst_by_slice_ms"] if worst is not None and worst > 200]
    assert len(late) > 4, "a closed loop of four connections would have four late requests"
    assert reads["gap_ms"] < writes["gap_ms"] / 2


def test_requests_that_fail(project: Project, rehearser: Rehearser) -> None:
    rename = "ALTER TABLE items RENAME COLUMN note TO remark;"
    back = "ALTER TABLE items RENAME COLUMN remark TO note;"
    silent = one(rehearser, runbook(project, rename, back), "under traffic")
    assert silent.status == "failed"
    assert '"42703":' in silent.reason
    said = one(rehearser, runbook(project, rename, back, front="breaks: old names\n"), "under traffic")
    assert (said.status, said.facts["errors"]) == ("passed", ["42703"])
    assert said.reason.startswith("requests fail by design: old names; table items has ")
    assert said.measured["writes"]["failed"]["42703"] > 0
    wrong = one(rehearser, runbook(project, BUILD, front="breaks: nothing\n"), "under traffic")
    assert wrong.status == "failed"
    assert "remove the key" in wrong.reason


def test_a_set_up_that_fails(project: Project, rehearser: Rehearser) -> None:
    document = runbook(project, BUILD, f"{DROP}\n```\n\n## Rehearsal\n\n```sql\nSELECT 1 / 0;")
    results = list(rehearse(rehearser, document, TEST_MAJOR, rows=ROWS))
    assert [(r.name, r.status) for r in results] == [(name, "failed") for name in REHEARSALS]
    assert all(r.reason.startswith("set-up: line") for r in results)


def test_the_command(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    runbook(project, BUILD)

    def run(*words: str) -> tuple[int, str]:
        pg = ["--pg", str(TEST_MAJOR)] if TEST_MAJOR else []
        result = CliRunner().invoke(
            cli, ["rehearse", "--only", "straight,repeated", *pg, *words], standalone_mode=False
        )
        assert result.exception is None, result.exception
        return int(result.return_value), click.unstyle(result.output)

    status, output = run()
    assert status == 1
    assert "no evidence for PostgreSQL" in output
    status, output = run("--refresh")
    assert status == 0, output
    assert "straight       repeated" in output
    assert run("tiny")[0] == 0
    file = project.root / "evidence/rehearsals/tiny.json"
    data = sealed.read(file)
    ((major, entry),) = data["majors"].items()
    entry["facts"]["straight"]["cells"] = 99
    sealed.write(file, data)
    status, output = run()
    assert status == 1
    assert "straight: cells: committed 99, now 3" in output
    runbook(project, "ALTER TABLE items ADD COLUMN extra int;")
    status, output = run("--refresh")
    assert status == 1
    assert "repeated  failed: second time: line" in output
    assert json.loads(file.read_text("utf-8"))["majors"][major]["facts"]["straight"]["cells"] == 99, "kept"
