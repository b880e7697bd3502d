"""Accept mode rewrites the outputs of a run, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.execution.accept import accepted
from pgrehearse.execution.results import CellResult
from pgrehearse.text.document import parse

TEXT = """\
# Page
```sql
SELECT 1;
```

```text
old
```

```sql
SELECT 2;
```
```text
one
two
took ... ms
```
prose
```sql
SELECT 3;
```
"""


def accept(
    outputs: list[str], text: str = TEXT, status: str = "passed", major: int = 18
) -> tuple[str, list[int]]:
    document = parse(text, Path("page.md"))
    results = [CellResult(c, status, output) for c, output in zip(document.cells, outputs, strict=True)]
    return accepted(document, results, major)


def test_every_fence_at_its_place() -> None:
    text, changed = accept(["a\nb\nc", "took 3 ms", "not compared"])
    assert changed == [6, 13]
    assert text == TEXT.replace("old", "a\nb\nc").replace("one\ntwo\ntook", "took")
    assert accept(["a\nb\nc", "took 4 ms", ""], text) == (text, [])


def test_what_fits_is_left_alone() -> None:
    assert accept(["old", "one\ntwo\ntook 9 ms", ""]) == (TEXT, [])


def test_an_empty_output_empties_the_fence() -> None:
    text, changed = accept(["", "one\ntwo\ntook 9 ms", ""])
    assert (text, changed) == (TEXT.replace("old\n", ""), [6])
    assert accept(["x", "one\ntwo\ntook 9 ms", ""], text)[0] == TEXT.replace("old", "x")


def test_the_fence_of_that_server_is_rewritten() -> None:
    later = TEXT.replace("old\n```\n", 'old\n```\n\n```text title="PostgreSQL 19 and later"\nold\n```\n', 1)
    outputs = ["new", "one\ntwo\ntook 9 ms", ""]
    assert accept(outputs, later, major=18) == (later.replace("old", "new", 1), [6])
    text, changed = accept(outputs, later, major=19)
    assert (text.count("old"), text.count("new"), changed) == (1, 1, [10])


@pytest.mark.parametrize("status", ["skipped", "notrun", "failed"])
def test_only_what_passed_is_accepted(status: str) -> None:
    assert accept(["new", "new", "new"], status=status) == (TEXT, [])


def test_an_output_that_would_end_its_block() -> None:
    with pytest.raises(DocumentError, match="would end its block") as caught:
        accept([" ```", "one\ntwo\ntook 9 ms", ""])
    assert caught.value.location == "page.md:6"
