"""Recordings under live traffic: the safe way must be clearly better; the page shows both."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest
from click.testing import CliRunner

from pgrehearse.errors import DocumentError
from pgrehearse.main import cli
from pgrehearse.measurement.evidence import recordings
from pgrehearse.measurement.recordings import RecordedWays
from pgrehearse.site.parts import timelines
from pgrehearse.text.document import Document, load
from pgrehearse.text.project import Project
from support.majors import TEST_MAJOR
from support.projects import project_at

MIGRATION = """-- migrate:up
CREATE TABLE items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
CREATE FUNCTION slow(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_sleep(0.012); RETURN $1; END $$;
"""
SEED = "INSERT INTO items (note) SELECT 'note ' || n FROM generate_series(1, :'rows'::int) AS n;\n"
GUIDE = """---
jupyter:
  jupytext:
    main_language: python
database: {{rows: 10}}
recordings:
  slow-index:
    title: A slow index
    rows: 400
    tables: items
    unsafe: {{label: plain, cells: {unsafe}}}
    safe: {{label: concurrent, cells: {safe}}}
---

# Guide

```sql name="plain"
CREATE INDEX items_slow ON items (slow(note));
```

```sql name="drop"
DROP INDEX items_slow;
```

```sql name="concurrent"
CREATE INDEX CONCURRENTLY items_slow ON items (slow(note));
```

```sql
SELECT count(*) FROM items;
```

```text
 count
-------
    10
(1 row)
```
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    files = {
        "db/migrations/1_items.sql": MIGRATION,
        "db/seed.sql": SEED,
        "docs/.keep": "",
        "runbooks/.keep": "",
    }
    monkeypatch.chdir(tmp_path)
    return project_at(tmp_path, files)


def guide(project: Project, unsafe: str = "plain", safe: str = "concurrent", name: str = "guide") -> Document:
    path = project.root / "docs" / f"{name}.md"
    path.write_text(GUIDE.format(unsafe=unsafe, safe=safe), "utf-8")
    return load(path)


def command(*words: str) -> tuple[int, str]:
    pg = ["--pg", str(TEST_MAJOR)] if TEST_MAJOR else []
    result = CliRunner().invoke(cli, ["record", *pg, *words], standalone_mode=False)
    if isinstance(result.exception, DocumentError):
        return result.exception.exit_code, str(result.exception)
    assert result.exception is None, result.exception
    return int(result.return_value), click.unstyle(result.output)


def test_recorded_saved_and_drawn(project: Project) -> None:
    document = guide(project)
    status, output = command("--refresh")
    assert status == 0, output
    assert re.search(r"ok    slow-index  PostgreSQL \S+  longest wait: unsafe \d{4} ms, safe \d+ ms", output)
    (entry,) = recordings.load(project, "slow-index").values()
    assert entry.facts["safe"] == {
        "errors": [],
        "requests": [
            "read one row by its key",
            "update one row by its key, to itself",
            "insert a copy of a row, rolled back",
        ],
        "tables": "items",
    }
    unsafe, safe = entry.measured["unsafe"], entry.measured["safe"]
    assert unsafe["writes"]["gap_ms"] > 4000 > 2 * safe["writes"]["gap_ms"]
    assert unsafe["phases_ms"]["plain"] == pytest.approx(unsafe["writes"]["gap_from_ms"], abs=3000)
    assert unsafe["took_ms"]["plain"] > 4000

    html = timelines.timeline(project, document, "slow-index", draft=False)
    for svg in re.findall(r"<svg.*?</svg>", html):
        drawn = ElementTree.fromstring(svg)  # noqa: S314 - our own
        assert [child.tag for child in drawn][:2] == ["title", "desc"]
    assert html.count("<svg") == 2
    assert re.search(r"no write for [1-9]\.\d\d s", html), "an outage is written into the picture"
    assert "style=" not in html and "<script" not in html
    assert "400 rows" in html

    same = RecordedWays("", entry.facts, {})
    recording = document.front.recordings["slow-index"]
    assert recordings.changes(project, document, recording, entry.version, same) == []
    assert recordings.changes(project, document, recording, "99.1", same) == ["no evidence for PostgreSQL 99"]
    other = {**entry.facts, "unsafe": {**entry.facts["unsafe"], "errors": ["55P03"]}}
    assert recordings.changes(project, document, recording, entry.version, RecordedWays("", other, {})) == [
        "unsafe: errors: found now, not committed: 55P03"
    ]


def test_a_safe_way_that_stalls_is_red(project: Project) -> None:
    guide(project, safe="plain drop")
    status, output = command("--refresh")
    assert status == 1
    assert re.search(
        r"the safe way is not clearly better: its longest wait, (a gap|one) of the writes, is \d{4} ms;"
        r" that of the unsafe way, (a gap|one) of the writes, \d{4} ms",
        output,
    )
    assert not recordings.file_of(project, "slow-index").exists()


def test_a_cell_that_fails_is_red(project: Project) -> None:
    guide(project, unsafe="drop")
    status, output = command()
    assert status == 1
    assert "the unsafe way: under traffic: line 22: it raised SQLSTATE 42704" in output


def test_names_that_are_not_there(project: Project) -> None:
    guide(project, safe="plain missing")
    status, output = command()
    assert status == 65
    assert "guide.md:7: recording 'slow-index' names no cell: 'missing' [recording-cell]" in output
    assert "named are: concurrent, drop, plain" in output
    text = GUIDE.format(unsafe="plain", safe="x").replace("cells: x", "runbook: nothing")
    (project.root / "docs/guide.md").write_text(text, "utf-8")
    status, output = command()
    assert status == 65
    assert "the way 'safe' of a recording names no runbook: 'nothing'" in output
