"""Evidence of recordings: what is run must be what was recorded; labels are no facts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pgrehearse import sealed
from pgrehearse.errors import DocumentError
from pgrehearse.measurement.evidence import recordings
from pgrehearse.measurement.recordings import RecordedWays, by_name
from pgrehearse.site.parts import timelines
from pgrehearse.text.document import Document, load
from pgrehearse.text.project import Project
from support.projects import project_at, write

GUIDE = """---
jupyter:
  jupytext:
    main_language: python
recordings:
  slow-index:
    title: A slow index
    rows: 400
    tables: items
    unsafe: {label: plain, cells: plain}
    safe: {label: concurrent, cells: concurrent}
---

# Guide

```sql name="plain"
CREATE INDEX items_slow ON items (slow(note));
```

```sql name="concurrent"
CREATE INDEX CONCURRENTLY items_slow ON items (slow(note));
```
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    return project_at(tmp_path, {"docs/.keep": "", "runbooks/.keep": ""})


def guide(project: Project, name: str = "guide") -> Document:
    return load(write(project.root, f"docs/{name}.md", GUIDE))


def test_a_name_stands_once(project: Project) -> None:
    with pytest.raises(DocumentError, match=r"is declared by .*guide\.md too"):
        by_name([guide(project), guide(project, name="other")])


def entry_of(document: Document, project: Project) -> dict[str, Any]:
    digest = recordings.digest(project, document, document.front.recordings["slow-index"])
    return {"version": "18.6", "date": "2026-01-01", "digest": digest, "facts": {}, "measured": {}}


def test_missing_and_stale_evidence_stop_the_build(project: Project) -> None:
    document = guide(project)
    with pytest.raises(DocumentError, match="it was never recorded") as raised:
        timelines.timeline(project, document, "slow-index", draft=False)
    assert raised.value.next_step == "pgrehearse record docs/guide.md --pg all --refresh"
    assert "was not made yet" in timelines.timeline(project, document, "slow-index", draft=True)
    with pytest.raises(DocumentError, match="names no recording of this page"):
        timelines.timeline(project, document, "other", draft=False)

    file = recordings.file_of(project, "slow-index")
    file.parent.mkdir(parents=True)
    majors = {"17": entry_of(document, project), "18": entry_of(document, project)}
    sealed.write(file, {"majors": majors})
    assert set(timelines.current(project, document, "slow-index", draft=False)) == {"17", "18"}
    relabeled = document.text.replace("label: plain", "label: direct")
    document.path.write_text(relabeled, "utf-8")
    assert timelines.current(project, load(document.path), "slow-index", draft=False), "labels are no facts"

    changed = relabeled.replace("CREATE INDEX items_slow", "CREATE INDEX  items_slow")
    document.path.write_text(changed, "utf-8")
    stale = load(document.path)
    with pytest.raises(DocumentError, match="what it runs changed since it was recorded"):
        timelines.current(project, stale, "slow-index", draft=False)
    (said,) = recordings.changes(
        project, stale, stale.front.recordings["slow-index"], "18.6", RecordedWays("", {}, {})
    )
    assert said == "stale: what is run changed since it was recorded on PostgreSQL 18.6"

    majors["18"] = entry_of(stale, project)
    sealed.write(file, {"majors": majors})
    with pytest.raises(DocumentError, match="changed since"):
        timelines.current(project, stale, "slow-index", draft=False)
    file.write_text("[]", "utf-8")
    with pytest.raises(DocumentError, match="has no seal"):
        timelines.current(project, stale, "slow-index", draft=False)
