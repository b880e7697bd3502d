"""The key ``recordings`` of the front matter: read, and refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.text.front_matter import read
from pgrehearse.text.recordings import Way

GOOD = """---
title: A guide
recordings:
  one:
    title: One
    rows: 10
    tables: a b
    unsafe: {label: at once, cells: x y}
    safe: {label: by steps, runbook: z}
---
"""


def test_read() -> None:
    recording = read(GOOD, Path("p.md")).recordings["one"]
    assert (recording.title, recording.rows, recording.tables) == ("One", 10, ("a", "b"))
    assert recording.ways == (Way("unsafe", "at once", ("x", "y")), Way("safe", "by steps", (), "z"))
    assert read("---\ntitle: x\n---\n", Path("p.md")).recordings == {}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  one:", "  One Two:", "recording 'One Two' is no name"),
        ("    rows: 10\n", "", "recording 'one' lacks rows"),
        ("rows: 10", "rows: many", "recording 'one' has no number of rows"),
        ("tables: a b", "tables: [a, b]", "recording 'one' has a title or tables that are not text"),
        (
            "    tables: a b\n",
            "    tables: a b\n    pause: 3\n",
            "recording 'one' has an unknown key 'pause'",
        ),
        ("{label: at once, cells: x y}", "x y", "does not say what is done in the way 'unsafe'"),
        ("cells: x y", "cells: [x]", "does not say what is done in the way 'unsafe'"),
        (
            "cells: x y}",
            "cells: x, runbook: z}",
            "needs a label, and cells or a runbook, for the way 'unsafe'",
        ),
        ("label: by steps, ", "", "needs a label, and cells or a runbook, for the way 'safe'"),
    ],
)
def test_refused(old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(DocumentError) as raised:
        read(GOOD.replace(old, new), Path("p.md"))
    assert message in raised.value.message
    assert raised.value.location == "p.md:4"
    assert raised.value.next_step
