"""The first screen of a runbook says what was measured, and nothing else; the lock reference links to it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pgrehearse import sealed
from pgrehearse.errors import DocumentError
from pgrehearse.measurement.evidence import cells
from pgrehearse.measurement.evidence import rates as rates_evidence
from pgrehearse.measurement.evidence import rehearsals as rehearsal_evidence
from pgrehearse.measurement.evidence.cells import DocumentEvidence, LastMeasured
from pgrehearse.measurement.evidence.rates import RatesEvidence
from pgrehearse.measurement.rates import KINDS, Rates
from pgrehearse.measurement.rehearsals.rehearsal import Rehearsal
from pgrehearse.measurement.statement.facts import PROBES, Facts
from pgrehearse.site.content.published import Published, read
from pgrehearse.site.parts.cost import costs, rates_table
from pgrehearse.site.parts.lock_reference import lock_table
from pgrehearse.site.parts.other_tools import other_tools
from pgrehearse.site.parts.runbook_summary import at_a_glance
from pgrehearse.site.parts.sends import sends
from pgrehearse.text.document import load
from pgrehearse.text.project import Project
from support.tiny import Tiny

ROOT = Path(__file__).parents[2]
NAME = "runbooks/fill.md"
RUNBOOK = """---
title: Fill
description: Fills a column.
parameters:
  table: {description: "Table", example: items}
---

# Fill

**Use this when** rows wait.

| step | lock on the table | who waits |
|---|---|---|
| set | ACCESS EXCLUSIVE | all, in words |

After the table.

## Preflight

### 1. Look

```sql
SELECT 1;
```

## Apply

### 1. Set `lock_timeout`

```sql
SET lock_timeout = '2s';
```

### 2. Change

```sql
ALTER TABLE items ADD COLUMN a int;
```

```sql
ALTER TABLE items VALIDATE CONSTRAINT c;
```

### 3. Fill

```sql
UPDATE items SET a = 1;
```

## Verify

### 1. Look

```sql
SELECT 2;
```

## Roll back

```sql
SELECT 3;
```
"""
FREE = dict.fromkeys(PROBES, "ok")
ADD = Facts(
    locks={"items": "ACCESS EXCLUSIVE"},
    probes={"items": dict.fromkeys(PROBES, "waits"), "parents": FREE | {"DELETE": "waits"}},
)
BUILDS = ('building index "i" on table "items" serially',)
VALIDATE = Facts(
    locks={"items": "SHARE UPDATE EXCLUSIVE"}, probes={"items": FREE}, scans=("items",), messages=BUILDS
)


RATES = Rates(1, 1, {"index": 2.44, "check": 0.5, "batches": 120.4}, {"index": 0.3})


@pytest.fixture
def measured(tiny: Tiny) -> Tiny:
    """The tiny project with one more runbook, a page for it, evidence of both, and the lock reference."""
    tiny.write(NAME, RUNBOOK)
    tiny.write("docs/fill.md", '[[= runbook("fill") =]]\n')
    tiny.write("docs/locks.md", "# Locks\n\n[[= lock_table() =]]\n")
    for path in tiny.project.markdown():
        keep(tiny, path, {"15": ADD, "18": ADD})
        if path.parent == tiny.project.runbooks:
            rehearse(tiny, path)
    tiny.record()
    return tiny


def keep(tiny: Tiny, path: Path, added: dict[str, Facts]) -> None:
    """Leave evidence for every cell with DDL: ``added`` for those that add something."""
    document = load(path)
    known = DocumentEvidence(tiny.project.relative(path))
    with_ddl = [cell for cell in document.cells if re.match("ALTER", cell.source)]
    for major, facts in added.items():
        found = [
            (cell, [(cell.source.rstrip(";"), VALIDATE if "VALIDATE" in cell.source else facts)])
            for cell in with_ddl
        ]
        known = known.with_major(major, LastMeasured(f"{major}.1", "2026-01-02"), with_ddl, found)
    cells.save(tiny.project.evidence, known)


def rehearse(tiny: Tiny, path: Path, status: str = "passed") -> None:
    conditions = {"rows": 100000, "cores": 2, "reads_per_second": 100.0, "writes_per_second": 50.0}
    load_ = {"conditions": conditions, "reads": {"worst_ms": 4.2}, "writes": {"worst_ms": 19.9}}
    names = ("straight", "undone", "repeated", "interrupted")
    results = [Rehearsal(name, status if name == "undone" else "passed") for name in names]
    results.append(Rehearsal("under traffic", "passed", measured=load_))
    rehearsal_evidence.save(tiny.project, load(path), 18, "18.1", results)


def published(tiny: Tiny) -> Published:
    return read(tiny.project, tiny.root / NAME)


def glance(tiny: Tiny, *, rehearsed: bool = True) -> tuple[list[str], list[str]]:
    """The lines of the summary and the rows of the table, as text."""
    item = published(tiny)
    known = rehearsal_evidence.load(tiny.project, item.document) if rehearsed else None
    found = at_a_glance(item, known)
    return (
        [plain(line) for line in re.findall(r"<div><dt>(.*?)</div>", found.summary)],
        [plain(line) for line in re.findall(r"<tr>(.*?)</tr>", found.steps, re.S)[1:]],
    )


def test_says_what_each_gb_costs_in_which_step(measured: Tiny) -> None:
    item = published(measured)
    rates = RatesEvidence("18.1", "2026-01-02", 2, "x86_64", RATES)
    assert "Each GB" not in at_a_glance(item, None).summary
    summary = at_a_glance(item, None, rates, "../rates/").summary
    line = plain(re.search(r"<dt>Each GB</dt>(.*?)</div>", summary, re.S)[1])  # type: ignore[index]
    assert " ".join(line.split()) == (
        "2.4 s and 0.3 GB of disk to build an index on a bigint in step 2|PostgreSQL 18.1, 2 cores,"
        " table in memory; on yours: pgrehearse rates --server URL (how to count)"
    )
    assert '<a href="../rates/">how to count</a>' in summary


def test_says_first_what_is_sent(measured: Tiny) -> None:
    """The statement that a reader came for, before what it costs; each links to its step."""
    summary = at_a_glance(published(measured), None).summary
    sent = plain(re.search(r'<p class="run-sent">(.*?)</p>', summary, re.S)[1])  # type: ignore[index]
    assert " ".join(sent.split()) == (
        "Sent for the examples: ALTER TABLE items ADD COLUMN a int (step 2),"
        " ALTER TABLE items VALIDATE CONSTRAINT c (step 2)"
    )
    assert summary.index("run-sent") < summary.index("Locks")


def test_what_a_block_adds_is_not_told_by_its_validation(measured: Tiny) -> None:
    item = published(measured)
    apply = [cell for cell in item.document.cells if cell.phase == "Apply"]
    validate = [cell for cell in apply if "VALIDATE" in cell.source]
    assert sends(item, [validate]) == []
    assert [sql for sql, _, _ in sends(item, [apply])] == [
        "ALTER TABLE items ADD COLUMN a int",
        "ALTER TABLE items VALIDATE CONSTRAINT c",
    ]
    assert sends(item, [[]]) == []


@pytest.mark.parametrize(
    ("runbook", "first"), [("index-create", "CREATE INDEX CONCURRENTLY"), ("key-bigint", None)]
)
def test_what_only_helps_a_block_is_not_shown_as_the_change(runbook: str, first: str | None) -> None:
    """A trigger keeps columns alike that a block added; nobody came for the trigger."""
    item = read(Project.at(ROOT), ROOT / "runbooks" / f"{runbook}.md")
    cells = [cell for cell in item.document.cells if cell.phase == "Apply"]
    shown = [sql for sql, _, _ in sends(item, [cells])]
    assert shown[0].startswith(first) if first else shown == [], shown


def test_names_other_tools_where_the_change_was_executed_with_them(measured: Tiny) -> None:
    item = published(measured)
    done = {"tools": {"x": {"title": "X", "version": "1.0", "changes": {"fill": {}}}}}
    sealed.write(measured.project.evidence / "other-tools.json", done)
    assert other_tools(measured.project, "drain", "../x/#fill") is None
    assert other_tools(measured.project, "fill", "") is None
    others = other_tools(measured.project, "fill", "../x/#fill")
    assert '<a href="../x/#fill">the same in X 1.0</a>' in at_a_glance(item, None, others=others).summary
    assert "Your tool" not in at_a_glance(item, None).summary


def test_a_step_that_calls_a_walk_changes_each_row(measured: Tiny) -> None:
    text = RUNBOOK.replace("UPDATE items SET a = 1;", "CALL pg_temp.walk();")
    measured.write(NAME, text)
    rates = RatesEvidence("18.1", "2026-01-02", 2, "x86_64", RATES)
    walk = [[cell] for cell in load(measured.root / NAME).cells if "CALL" in cell.source]
    (cost,) = costs(published(measured), walk, rates)
    assert (cost.text, cost.steps) == ("120 s to change each row, in batches", (0,))


def plain(html: str) -> str:
    return re.sub(r"<[^>]+>", "", re.sub(r"</(?:dt|td|th)>\s*|<small>", "|", html)).strip("|")


def test_says_what_was_measured(measured: Tiny) -> None:
    summary, rows = glance(measured)
    assert summary == [
        "Locks|ACCESS EXCLUSIVE on the table in step 2",
        "Who waits|readers and writers in step 2",
        "Work|reads the table whole in step 2; changes rows in step 3",
        "Traffic|slowest read 4 ms, slowest write 20 ms, with 100 reads and 50 writes a second,"
        " 100,000 rows, 2 cores (PostgreSQL 18)",
        "Undo|Roll back restores schema and data: the dumps are the same (PostgreSQL 18)",
        "Standbys|replay ACCESS EXCLUSIVE: queries on the table wait there, or are canceled with 40001",
        "Autovacuum|gives way after deadlock_timeout, one second, but not when it works against wraparound",
        "Poolers|connect past one in transaction mode: steps share the settings of their session",
        "Measured|PostgreSQL 15.1, 18.1; 2026-01-02",
    ]
    assert rows == [
        "2. Change|ADD COLUMN|ACCESS EXCLUSIVE on the table"
        "|readers and writers of the table, DELETE on parents|catalog only",
        "VALIDATE CONSTRAINT|SHARE UPDATE EXCLUSIVE on the table|nobody|reads the table whole",
        "3. Fill|changes rows; its locks were not measured apart",
    ]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("items", True),
        ("pg_temp.probe", False),
        ("pg_tempo.items", True),
    ],
)
def test_rows_of_a_temporary_table_are_nobodys(measured: Tiny, target: str, said: bool) -> None:
    filled = f"SELECT format('INSERT INTO {target} SELECT * FROM %I', 'items') \\gexec"
    measured.write(NAME, RUNBOOK.replace("UPDATE items SET a = 1;", filled))
    (line,) = (line for line in glance(measured, rehearsed=False)[0] if line.startswith("Work"))
    assert ("changes rows in step 3" in line) == said


@pytest.mark.parametrize(
    ("setting", "short"),
    [
        ("SET lock_timeout = '500ms'", True),
        ("SET LOCAL lock_timeout TO 30", True),
        ("SELECT 'SET lock_timeout = ''900ms'' '", True),
        ("SET lock_timeout = '1s'", False),
        ("SET lock_timeout = 2000", False),
        ("SET lock_timeout = 0", False),
        ("SET lock_timeout = '1min'", False),
    ],
)
def test_autovacuum_outlasts_a_short_limit(measured: Tiny, setting: str, short: bool) -> None:
    """It gives way to nobody who gives up within deadlock_timeout."""
    text = RUNBOOK.replace("SET lock_timeout = '2s'", setting, 1)
    assert setting in text
    measured.write(NAME, text)
    keep(measured, measured.root / NAME, {"18": ADD})
    (line,) = (line for line in glance(measured, rehearsed=False)[0] if line.startswith("Autovacuum"))
    assert ("does not give way" in line) == short


def test_versions_that_differ_stand_side_by_side(measured: Tiny) -> None:
    mild = replace(ADD, locks={"items": "SHARE"}, probes={"items": FREE}, rewrites=("items", "idx"))
    keep(measured, measured.root / NAME, {"15": ADD, "16": ADD, "17": ADD, "18": mild})
    row = glance(measured)[1][0]
    assert "15–17: ACCESS EXCLUSIVE on the table; 18: SHARE on the table" in row
    assert "18: nobody" in row
    assert "15–17: catalog only; 18: rewrites the table and 1 index" in row


def test_a_transaction_holds_its_strongest_lock_to_the_end(measured: Tiny) -> None:
    both = "BEGIN;\nALTER TABLE items ADD COLUMN a int;\nALTER TABLE items VALIDATE CONSTRAINT c;\nCOMMIT;"
    apart = "ALTER TABLE items ADD COLUMN a int;\n```\n\n```sql\nALTER TABLE items VALIDATE CONSTRAINT c;"
    measured.replace(NAME, apart, both)
    document = load(measured.root / NAME)
    (cell,) = (cell for cell in document.cells if cell.source.startswith("BEGIN"))
    statements = [("ALTER TABLE items ADD COLUMN a int", ADD), ("ALTER TABLE items VALIDATE", VALIDATE)]
    known = DocumentEvidence(NAME).with_major(
        "18", LastMeasured("18.1", "2026-01-02"), [cell], [(cell, statements)]
    )
    cells.save(measured.project.evidence, known)
    assert glance(measured)[1][0] == (
        "2. Change|ACCESS EXCLUSIVE on the table|readers and writers of the table, DELETE on parents"
        "|reads the table whole"
    )


def test_no_way_back_is_said(measured: Tiny) -> None:
    measured.replace(NAME, "title: Fill", 'title: Fill\nundo: "rows <were> lost"')
    assert "Undo|not undoable: rows &lt;were&gt; lost. See Roll back" in glance(measured)[0]


def test_a_failed_or_missing_rehearsal_is_no_success(measured: Tiny) -> None:
    rehearse(measured, measured.root / NAME, status="failed")
    assert "Undo|Roll back; failed (18)" in glance(measured)[0]
    summary, _ = glance(measured, rehearsed=False)
    assert {"Undo|Roll back; not rehearsed", "Traffic|not run"} < set(summary)


def test_what_is_not_measured_is_not_called_harmless(measured: Tiny) -> None:
    measured.replace(NAME, "ADD COLUMN a int", "ADD COLUMN b int")
    measured.replace(NAME, "```sql\nALTER TABLE items VALIDATE CONSTRAINT c;\n```\n\n", "")
    summary, rows = glance(measured)
    assert summary[:2] == ["Locks|not measured in steps 2, 3", "Who waits|not measured in steps 2, 3"]
    assert rows[0] == "2. Change|changed since it was measured"


def test_nobody_waits_is_said_of_measured_steps_only(measured: Tiny) -> None:
    keep(measured, measured.root / NAME, {"18": replace(VALIDATE, scans=())})
    summary, _ = glance(measured)
    assert summary[1] == "Who waits|nobody; not measured in step 3"


def test_page_shows_it_and_every_link_leads_somewhere(measured: Tiny) -> None:
    measured.build()
    measured.check()
    page = measured.html("fill/index.html")
    assert page.index('class="run-steps"') < page.index('class="run-glance"') < page.index("Use this when")
    words = page.partition('class="run-words"')
    assert 'class="run-each run-stack"' in words[0], "the measured table stands where the written one was"
    assert "all, in words" in words[2].partition("</details>")[0]
    assert "After the table." in words[2].partition("</details>")[2]
    assert 'href="#2-change"' in page
    assert 'id="2-change"' in page


def test_without_evidence_the_page_is_as_written(tiny: Tiny) -> None:
    tiny.write(NAME, RUNBOOK)
    tiny.write("docs/fill.md", '[[= runbook("fill") =]]\n')
    tiny.record()
    tiny.build()
    page = tiny.html("fill/index.html")
    assert "run-glance" not in page
    assert "run-words" not in page
    assert "all, in words" in page


def test_stale_facts_stop_the_build_and_name_the_runbook(measured: Tiny) -> None:
    measured.build()
    measured.replace(NAME, "ADD COLUMN a int", "ADD COLUMN b int")
    rehearse(measured, measured.root / NAME)
    measured.record()
    with pytest.raises(
        DocumentError, match="facts of this cell are missing or belong to an older text"
    ) as error:
        measured.build()
    assert str(error.value.path) == NAME
    assert error.value.line == RUNBOOK[: RUNBOOK.index("ALTER TABLE items ADD")].count("\n")
    assert NAME in str(error.value.next_step)


def test_stale_rehearsals_stop_the_build_and_name_the_runbook(measured: Tiny) -> None:
    measured.replace(NAME, "After the table.", "After the table, in other words.")
    measured.record()
    measured.build()  # prose is not executed
    measured.replace(NAME, "SELECT 2;", "SELECT 4;")
    measured.record()
    with pytest.raises(DocumentError, match="changed since it was rehearsed") as error:
        measured.build()
    assert str(error.value.path) == NAME
    measured.build(strict=False)
    assert "Traffic</dt><dd>not run" in measured.html("fill/index.html"), "a draft shows no stale numbers"


def test_a_link_to_nowhere_is_found(measured: Tiny) -> None:
    measured.build()
    page = measured.site / "locks/index.html"
    html = page.read_text(encoding="utf-8")
    assert "#measured-" in html
    page.write_text(re.sub(r"#measured-\w+", "#measured-nothing", html, count=1), encoding="utf-8")
    with pytest.raises(DocumentError, match="#measured-nothing, a place that does not exist") as error:
        measured.check()
    assert str(error.value.path) == "locks/index.html"


def test_lock_reference_has_every_statement_and_links_to_its_cell(measured: Tiny) -> None:
    measured.build()
    measured.check()
    table = measured.html("locks/index.html")
    statements = {
        statement.sql
        for path in measured.project.markdown()
        for cell in cells.load(measured.project.evidence, measured.project.relative(path)).cells
        for statement in cell.statements
    }
    rows = re.findall(r"<tr[ >].*?</tr>", table, re.S)[1:]
    assert f"{len(statements)} statements were measured" in table
    assert len(rows) == len(statements) == 3
    for row in rows:
        href = re.search(r'href="\.\./([\w-]+)/#(measured-\w+)"', row)
        assert href, row
        assert f'id="{href[2]}"' in measured.html(f"{href[1]}/index.html")


def test_lock_reference_keeps_majors_together_and_outcomes_apart(measured: Tiny) -> None:
    failing = Facts(sqlstate="42601")
    keep(measured, measured.root / NAME, {"15": failing, "17": ADD, "18": ADD})
    table = lock_table([published(measured)], lambda _: "page/")
    add = [plain(row) for row in re.findall(r"<tr[ >].*?</tr>", table, re.S) if "ADD COLUMN" in row]
    assert len(add) == 2
    assert "ACCESS EXCLUSIVE|no|no|readers and writers (and of related tables)|17, 18|Fill" in add[0]
    assert "fails with 42601 syntax_error" in add[1]
    assert '<tr class="run-failed">' in table
    assert add[1].endswith("none on a table|no|no|nobody|15|Fill")


def test_evidence_of_another_text_is_not_in_the_lock_reference(measured: Tiny) -> None:
    assert "ADD COLUMN" in lock_table([published(measured)], lambda _: "")
    measured.replace(NAME, "ADD COLUMN a int", "ADD COLUMN b int")
    assert "ADD COLUMN" not in lock_table([published(measured)], lambda _: "")


def test_the_table_of_rates_has_a_column_for_each_major(measured: Tiny) -> None:
    assert rates_table(measured.project) == ""
    every = Rates(64 << 20, 1000, dict.fromkeys(KINDS, 1.25), {"index": 0.2})
    for major in (17, 18):
        rates_evidence.save(measured.project, major, f"{major}.1", every)
    html = rates_table(measured.project)
    rows = [plain(row) for row in re.findall(r"<tr>(.*?)</tr>", html, re.S)]
    assert rows[0] == "each GB|on 17|on 18|100 GB|disk for each GB"
    assert rows[1] == "to check each row|1.2 s|1.2 s|125 s|none"
    assert rows[3] == "to build an index on a bigint|1.2 s|1.2 s|125 s|0.2 GB"
    assert "PostgreSQL 17.1, 18.1;" in html
