"""A tiny project with its own site: one guide, one runbook, records as a green run leaves them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pgrehearse.execution import records
from pgrehearse.execution.record_basis import surroundings
from pgrehearse.execution.records import CellRecord, Run
from pgrehearse.site.built.accounting import Accounting, check
from pgrehearse.site.built.build import build, docs_folder
from pgrehearse.text.document import load
from pgrehearse.text.project import Project
from support.projects import write

__all__ = ["Tiny"]

CONFIG = """\
site_name: Tiny
theme: {name: material, font: false}
plugins:
  - macros:
      modules: [pgrehearse.site.macros]
      on_undefined: strict
      on_error_fail: true
      j2_variable_start_string: "[[="
      j2_variable_end_string: "=]]"
      j2_block_start_string: "[[%"
      j2_block_end_string: "%]]"
      j2_comment_start_string: "[[#"
      j2_comment_end_string: "#]]"
markdown_extensions:
  - admonition
  - attr_list
  - md_in_html
  - tables
  - pymdownx.highlight: {pygments_lang_class: true}
  - pymdownx.superfences:
      custom_fences:
        - name: sql
          class: sql
          validator: !!python/name:pgrehearse.site.fences.validator
          format: !!python/name:pgrehearse.site.fences.formatter
        - name: python
          class: python
          validator: !!python/name:pgrehearse.site.fences.validator
          format: !!python/name:pgrehearse.site.fences.formatter
        - name: bash
          class: bash
          validator: !!python/name:pgrehearse.site.fences.validator
          format: !!python/name:pgrehearse.site.fences.formatter
validation:
  nav: {omitted_files: warn, not_found: warn, absolute_links: warn}
  links: {not_found: warn, anchors: warn, absolute_links: warn, unrecognized_links: warn}
"""

GUIDE = """\
---
title: Guide
jupyter: {jupytext: {main_language: python}}
---

# Guide

```sql session="app"
LOCK TABLE wishlist_items;
```

```sql expect="55P03" session="reader" wait="app"
SELECT '{{1,2}}'::int[], $$<b> & "q"$$;
```

```text
ERROR:  canceling statement due to lock timeout
```

```sql needs="18"
SELECT uuidv7();
```

```python
if 1 < 2:
    print("tab:\tend")
```

```{.sql .noeval title="Needs a second server" linenums="1" hl_lines="2"}
CREATE SUBSCRIPTION s
  CONNECTION 'host=other' PUBLICATION p;
```
"""

RUNBOOK = """\
---
title: Add a value
description: Adds a label.
jupyter: {jupytext: {main_language: python}}
parameters:
  label: {description: "Label to add, *as is*", example: "it's"}
---

# Add a value

Read [the guide](../docs/guide.md) or [the steps](#apply). `[not](a-link.md)`

## Preflight

```sql
SELECT 1;
```

## Apply

```sql
ALTER TYPE store ADD VALUE IF NOT EXISTS :'label';
```

## Verify

```sql
SELECT 2;
```

## Roll back

```sql
SELECT 3;
```

## Rehearsal

```sql
SELECT 'disposable';
```
"""

PAGES = {
    "pyproject.toml": "",
    "mkdocs.yml": CONFIG,
    "docs/index.md": "# Home\n\n[[= proof_summary() =]]\n\n[[= runbook_index() =]]\n",
    "docs/guide.md": GUIDE,
    "docs/add-value.md": '[[= runbook("add-value") =]]\n',
    "runbooks/add-value.md": RUNBOOK,
}


class Tiny:
    """The project below ``root``, to be changed, recorded, built and checked."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name, text in PAGES.items():
            self.write(name, text)
        self.project = Project.at(root)
        self.site = root / "site"
        self.record()

    def write(self, name: str, text: str) -> None:
        write(self.root, name, text)

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        self.write(name, text.replace(old, new))

    def record(self, change: Callable[[CellRecord], CellRecord] = lambda cell: cell) -> None:
        """Leave the record of a green run on 18; ``change`` may turn a cell's entry into another."""
        for path in self.project.markdown():
            document = load(path)
            cells = tuple(
                change(CellRecord(cell.digest, cell.language, cell.line, "passed")) for cell in document.cells
            )
            if cells:
                digest = records.text_digest(document.text)
                around = surroundings(self.project, document)
                run = Run("18.6", "2026-01-02T03:04:05Z", digest, 0.1, cells, around)
                records.save(self.project.records / "records", self.project.relative(path), 18, run)

    def record_with(self, line: int, **values: object) -> None:
        """Leave a record in which the entry of the cell on ``line`` has other ``values``."""
        self.record(lambda cell: replace(cell, **values) if cell.line == line else cell)  # type: ignore[arg-type]

    def build(self, *, strict: bool = True) -> Path:
        return build(self.project, self.site, strict=strict)

    def check(self, *, downloads: bool = False) -> Accounting:
        return check(self.project, docs_folder(self.project), self.site, downloads=downloads)

    def html(self, name: str) -> str:
        return (self.site / name).read_text(encoding="utf-8")
