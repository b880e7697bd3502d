"""A project with one table, and a rehearser that a test may close, kill and crash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pgrehearse.execution.rehearser import Rehearser
from pgrehearse.servers import Servers
from pgrehearse.text.project import Project
from support.databases import Database
from support.projects import project_at
from support.runbook_requests import runbook_database

FILES = {
    "db/migrations/1_a.sql": "-- migrate:up\nCREATE TABLE items (n int);\n",
    "db/seed.sql": "INSERT INTO items SELECT * FROM generate_series(1, :'rows'::int);\n",
    "snippets/sql/one.sql": "SELECT 1 AS one;\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return project_at(tmp_path, FILES)


@pytest.fixture
def rehearser(project: Project) -> Iterator[Rehearser]:
    """On servers of its own."""
    with Rehearser(project, Servers()) as made:
        yield made


@pytest.fixture
def staging(database: str) -> Database:
    """For a runbook."""
    return runbook_database(database)
