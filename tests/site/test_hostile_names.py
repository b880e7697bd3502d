"""Whatever a name or a message holds, a page shows it and nothing of it becomes HTML, Markdown or a macro."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from markupsafe import Markup, escape

from pgrehearse import markup
from pgrehearse.execution.records import CellRecord
from pgrehearse.measurement.evidence import cells, recordings
from pgrehearse.measurement.evidence import rehearsals as rehearsal_evidence
from pgrehearse.measurement.evidence.cells import DocumentEvidence, LastMeasured
from pgrehearse.measurement.recordings.ways import RecordedWays
from pgrehearse.measurement.rehearsals.rehearsal import REHEARSALS, Rehearsal
from pgrehearse.measurement.statement.facts import PROBES, Facts
from pgrehearse.site import macros
from pgrehearse.site.content import embed
from pgrehearse.site.content.documents import Site
from pgrehearse.site.content.published import CellState
from pgrehearse.site.markup import render
from pgrehearse.site.parts import cell_block, rehearsals, timelines
from pgrehearse.site.parts.drawing import svg
from pgrehearse.site.parts.lock_reference import lock_table
from pgrehearse.site.parts.proof_tables import proof_table
from pgrehearse.site.parts.runbook_summary import at_a_glance
from pgrehearse.text.characters import visible
from pgrehearse.text.options import CellOptions

if TYPE_CHECKING:
    from support.tiny import Tiny

#: Ends what it may stand in, is a macro of both kinds and a cell of a table, and moves cursors.
HOSTILE = "<img src=x onerror=alert(1)>\"'`</code></pre></table></svg>{{ 7+7 }}[[= 7+7 =]]|_b_\x1b[31m\u202e"
#: A file is refused with the last ones, and so is a value of a parameter that has them by an escape.
WRITTEN = HOSTILE.removesuffix("\x1b[31m\u202e")
#: What was measured was read by a server: it is whole, and here short enough to be shown whole.
STATEMENT = f"ALTER TABLE $${HOSTILE}$$"
QUOTED, VALUE, ENDS_A_FENCE = json.dumps(HOSTILE), json.dumps(WRITTEN), json.dumps(f"a\n```\n{WRITTEN}")
RUNBOOK = f"""---
title: TITLE
description: TITLE
undo: {QUOTED}
jupyter: {{jupytext: {{main_language: python}}}}
parameters:
  table: {{description: Table, example: items}}
  label: {{description: Label, example: {VALUE}, default: {VALUE}}}
  lines: {{description: Lines, example: {ENDS_A_FENCE}}}
---

# TITLE

## Apply

### 1. STEP

```sql
ALTER TABLE items ADD COLUMN a int;
```

## Roll back

```sql
SELECT 1;
```
"""
GUIDE = f"""---
title: Recorded
jupyter: {{jupytext: {{main_language: python}}}}
recordings:
  slow:
    title: {QUOTED}
    rows: 10
    tables: items
    unsafe: {{label: {QUOTED}, cells: first}}
    safe: {{label: {QUOTED}, cells: second}}
---

# Recorded

[[= timeline("slow") =]]

```sql name="first"
SELECT 1;
```

```sql name="second"
SELECT 2;
```
"""
OF_ONE_KIND = {
    "worst_ms": 200.0,
    "gap_ms": 150.0,
    "gap_from_ms": 10.0,
    "failed": {},
    "worst_by_slice_ms": [1.0, None, 200.0],
}
LOAD: dict[str, Any] = {
    "slice_ms": 100,
    "phases_ms": {HOSTILE: 10.0, "end": 250.0},
    "reads": OF_ONE_KIND,
    "writes": OF_ONE_KIND,
    "runbook_ms": 240.0,
    "conditions": {
        "rows": 10,
        "cores": 2,
        "machine": HOSTILE,
        "reads_per_second": 10.0,
        "writes_per_second": 5.0,
    },
}


def plainly(sql: str, attributes: dict[str, str]) -> Markup:
    """A block that is not highlighted."""
    del attributes
    return escape(sql)


class Reader(HTMLParser):
    """What a browser would make of a page: texts, and what came from a hostile name."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.foreign = re.findall("[\x1b\u202e]", html)
        self.feed(str(html))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.foreign += [f"<{tag} {name}={value}>" for name, value in attrs if name.startswith("on")]
        self.text += "".join(f" {value} " for _, value in attrs if value)

    def handle_data(self, data: str) -> None:
        self.text += data


class Pieces:
    """The tiny project with a hostile name wherever one can stand, and the HTML of each part."""

    def __init__(self, tiny: Tiny, title: str, step: str) -> None:
        self.tiny = tiny
        tiny.write("runbooks/fill.md", RUNBOOK.replace("TITLE", json.dumps(title), 2).replace("STEP", step))
        tiny.replace("runbooks/fill.md", "# TITLE", "# Fill" if title == HOSTILE else f"# {title}")
        tiny.write("docs/fill.md", '[[= runbook("fill") =]]\n')
        tiny.write("docs/locks.md", "# Locks\n\n[[= lock_table() =]]\n\n[[= rehearsal_matrix() =]]\n")
        tiny.write("docs/recorded.md", GUIDE)
        self.site = Site(tiny.root, tiny.root / "docs")
        self.runbook = self._measured()
        self.guide = self._recorded()
        results = [Rehearsal(name, "passed", HOSTILE) for name in REHEARSALS]
        results[-1] = replace(results[-1], measured=LOAD)
        rehearsal_evidence.save(tiny.project, self.runbook.document, 18, "18.1", results)

    def _measured(self) -> Any:
        item = self.site.document(self.tiny.root / "runbooks" / "fill.md")
        facts = Facts(
            locks={HOSTILE: "SHARE"},
            probes={HOSTILE: dict.fromkeys(PROBES, "waits")},
            scans=(HOSTILE,),
            rewrites=(HOSTILE,),
        )
        cell = item.document.cells[0]
        known = DocumentEvidence(item.name).with_major(
            "18", LastMeasured("18.1", HOSTILE), [cell], [(cell, [(STATEMENT, facts)])]
        )
        cells.save(self.tiny.project.evidence, known)
        return replace(item, evidence=known)

    def _recorded(self) -> Any:
        item = self.site.document(self.tiny.root / "docs" / "recorded.md")
        ways = RecordedWays("", {}, {"unsafe": LOAD, "safe": LOAD})
        for major in (17, 18):
            recording = item.document.front.recordings["slow"]
            recordings.save(self.tiny.project, item.document, recording, major, HOSTILE, ways)
        return item

    def cell(self) -> str:
        failure = CellRecord(
            "", "sql", 1, "failed", message=HOSTILE, output=f"\n\n{HOSTILE}\n\n    {HOSTILE}"
        )
        cell = replace(self.runbook.document.cells[0], source="SELECT 1\n\\gexec")
        state = CellState(cell, "failed", failure=failure, sent=(f"DROP {HOSTILE}",))
        options = CellOptions(session=HOSTILE, wait=HOSTILE, snippet=HOSTILE)
        item = replace(self.runbook, name=HOSTILE)
        return cell_block.executed(
            options, "sql", f"-- {HOSTILE}" + "\n" * 20, (item, state), markup.trusted(""), plainly
        )

    def skipped(self) -> str:
        state = CellState(self.runbook.document.cells[0], "skipped", HOSTILE)
        return cell_block.executed(
            CellOptions(), "sql", "", (self.runbook, state), markup.trusted(""), plainly
        )

    def locks(self) -> str:
        return lock_table([self.runbook], lambda _: HOSTILE)

    def proof(self) -> str:
        return proof_table([self.runbook], lambda _: HOSTILE) + proof_table([self.runbook], lambda _: "")

    def index(self) -> str:
        files = SimpleNamespace(
            get_file_from_path=lambda _: SimpleNamespace(url_relative_to=lambda _: HOSTILE)
        )
        env = SimpleNamespace(page=SimpleNamespace(file=None), variables={"files": files})
        return macros._runbook_index(self.site, env)()

    def matrix(self) -> str:
        project, document = self.tiny.project, self.runbook.document
        return rehearsals.matrix(project, [document], lambda _: HOSTILE, draft=False)

    def rehearsed(self) -> str:
        return rehearsals.rehearsed(self.tiny.project, self.runbook.document, draft=False)

    def glance(self) -> str:
        found = at_a_glance(self.runbook, None)
        return found.summary + found.steps

    def timeline(self) -> str:
        return timelines.timeline(self.tiny.project, self.guide.document, "slow", draft=False)

    def drawing(self) -> str:
        return svg(HOSTILE, LOAD, wide_ms=100, high_ms=100)

    def downloads(self) -> str:
        return embed._downloads(HOSTILE, "Apply")

    def draft(self) -> str:
        problem = SimpleNamespace(require_proof=self._raise)
        return macros._draft_note(problem)  # type: ignore[arg-type]

    def _raise(self) -> None:
        raise macros.DocumentError(HOSTILE)

    def failed_build(self) -> str:
        return render("failed_build", problem=HOSTILE)


PIECES: dict[str, Callable[[Pieces], str]] = {
    name: piece for name, piece in vars(Pieces).items() if not name.startswith("_")
}


@pytest.fixture
def pieces(tiny: Tiny) -> Pieces:
    return Pieces(tiny, HOSTILE, WRITTEN)


@pytest.fixture
def careless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Templates that escape nothing."""
    environment = markup._environment.__wrapped__("pgrehearse.site")
    environment.autoescape, environment.finalize = False, None
    monkeypatch.setattr(markup, "_environment", lambda package: environment)


@pytest.mark.parametrize("name", PIECES)
def test_it_is_shown_as_it_is(pieces: Pieces, name: str) -> None:
    read = Reader(PIECES[name](pieces))
    assert read.foreign == []
    assert visible(HOSTILE) in read.text


@pytest.mark.parametrize("name", [name for name in PIECES if name != "drawing"])
@pytest.mark.usefixtures("careless")
def test_careless_templates_are_seen(pieces: Pieces, name: str) -> None:
    assert Reader(PIECES[name](pieces)).foreign != []


def test_pages_show_it_through_markdown_and_macros(tiny: Tiny) -> None:
    Pieces(tiny, "Fill", "Step")
    tiny.record()
    tiny.record_with(
        22,
        status="failed",
        message=HOSTILE,
        message_line=22,
        output=f"\n\n    {HOSTILE}\n",
        sent=(f"DROP {HOSTILE}",),
    )
    tiny.build(strict=False)
    for page, times in (("fill", 12), ("locks", 1), ("recorded", 10)):
        read = Reader(tiny.html(f"{page}/index.html"))
        assert read.foreign == [], page
        assert read.text.count(visible(HOSTILE)) >= times, page
        assert "14" not in re.findall(r"\b14\b", read.text.replace(visible(HOSTILE), "")), page
