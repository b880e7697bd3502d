"""A project for each case, and the checks run on it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pgrehearse.migration.policy.all_checks import check
from pgrehearse.migration.policy.report import PolicyReport, PolicyRequest
from pgrehearse.servers import Server
from pgrehearse.text.project import Project
from support.projects import project_at


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with the start migration and its seed."""
    start = Path(__file__).parent / "start"
    files = {"db/migrations/0001_start.sql": "0001_start.sql", "db/seed.sql": "seed.sql"}
    return project_at(tmp_path, {name: (start / file).read_text("utf-8") for name, file in files.items()})


@pytest.fixture
def run(project: Project, server: Server) -> Callable[[Path], PolicyReport]:
    """Put the files of a folder into the project and check them."""

    def checked(folder: Path) -> PolicyReport:
        names = set()
        for file in folder.iterdir():
            if file.suffix == ".sql":
                shutil.copy(file, project.migrations)
                names.add(file.name)
            else:
                project.changes.parent.mkdir(exist_ok=True)
                shutil.copy(file, project.changes)
        return check(project, PolicyRequest(frozenset(names), rows=200), lambda: server)

    return checked
