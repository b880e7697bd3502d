"""A project of its own for each test, and databases in several states."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.bench import Bench
from support.databases import Database
from support.processes import end


@pytest.fixture
def bench(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Bench]:
    for name in list(os.environ):
        if name.startswith("PG") and not name.startswith("PGREHEARSE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    made = Bench(tmp_path, monkeypatch, capsys)
    yield made
    for process in made.started:
        end(process)


@pytest.fixture
def plain(database: str) -> Database:
    """A fresh, empty, unmarked database."""
    return Database(database)


@pytest.fixture
def staging(plain: Database) -> Database:
    """A fresh database marked staging, with a table for steps to leave a trace in."""
    plain.mark("staging")
    plain.execute("CREATE TABLE trace (at int GENERATED ALWAYS AS IDENTITY, note text)")
    return plain


@pytest.fixture
def gated(staging: Database) -> Database:
    """A database in which the step GATE fails until the table gate has a row."""
    staging.execute("CREATE TABLE gate (open bool)")
    return staging
