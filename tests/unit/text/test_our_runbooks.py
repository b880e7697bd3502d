"""What the SQL of our own runbooks holds, and may not hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pgrehearse.text.document import Document, load

RUNBOOKS = sorted((Path(__file__).parents[3] / "runbooks").glob("*.md"))
#: A step that is named by its number is another one as soon as somebody puts one before it.
BY_NUMBER = re.compile(r"run step \d+ again", re.IGNORECASE)


@pytest.fixture(params=RUNBOOKS, ids=lambda path: path.stem)
def runbook(request: pytest.FixtureRequest) -> Document:
    return load(request.param)


def test_sql_is_ascii(runbook: Document) -> None:
    """A database in LATIN1 refuses any other letter in a statement, also in a word of advice (22P05)."""
    assert not [line for cell in runbook.cells for line in cell.source.splitlines() if not line.isascii()]


def test_what_to_do_next_is_named_by_its_phase(runbook: Document) -> None:
    assert not [cell.line for cell in runbook.cells if BY_NUMBER.search(cell.source)]
