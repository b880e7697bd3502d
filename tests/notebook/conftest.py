"""Fresh databases of this repository for its exports, and the documents that are exported."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgrehearse.execution.rehearsal import Rehearser
from pgrehearse.execution.servers import Servers
from pgrehearse.text.project import Project

ROOT = Path(__file__).parents[2]
MAJOR = int(os.environ["PGREHEARSE_TEST_MAJOR"]) if os.environ.get("PGREHEARSE_TEST_MAJOR") else None


@pytest.fixture(scope="session")
def project() -> Project:
    return Project.at(ROOT)


@pytest.fixture(scope="session")
def rehearser(project: Project, servers: Servers) -> Iterator[Rehearser]:
    """Makes databases with this repository's migrations and seed, on the servers of all tests."""
    with Rehearser(project, servers, keep=False) as made:
        yield made
