"""A project for each case, and the checks run on it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pgrehearse.migration.policy.check import PolicyReport, PolicyRequest, check
from pgrehearse.servers import Server
from pgrehearse.text.project import Project

HERE = Path(__file__).parent


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with the start migration and its seed."""
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "db" / "migrations").mkdir(parents=True)
    shutil.copy(HERE / "start" / "0001_start.sql", tmp_path / "db" / "migrations")
    shutil.copy(HERE / "start" / "seed.sql", tmp_path / "db" / "seed.sql")
    return Project.at(tmp_path)


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


def marked(folder: Path) -> list[tuple[str, int, str]]:
    """File, line and check of every ``-- red: CHECK`` in the files of ``folder``."""
    return sorted(
        (file.name, number, name)
        for file in folder.glob("*.sql")
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if (match := re.search(r"-- red: ([\w -]+)$", line))
        for name in match[1].split()
    )
