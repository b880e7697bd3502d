"""Snapshots of databases that tests make, as somebody sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pgrehearse.environments.declared import Environment
from pgrehearse.migration.runner import runner
from pgrehearse.status.fact import Fact, Known, Level, Unknown
from pgrehearse.status.snapshot import LookTarget, take
from pgrehearse.text import migration_files
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.project import Project
from support.projects import project_at, write

__all__ = ["Seen", "known", "place_of"]


def place_of(
    dsn: str, name: str = "", *, mark: str = "staging", position: int = 1, **more: Any
) -> LookTarget:
    """A place that leads to ``dsn``; ``more``: of its environment."""
    environment = Environment("shop", mark, dsn_env="NONE", **{"without": ("backup",), **more})
    return LookTarget(environment, position, name, lambda: dsn)


def known(fact: Fact) -> Any:
    """The value of a fact that has to be known."""
    assert isinstance(fact, Known), fact
    return fact.value


@dataclass
class Seen:
    """A project and one database of it."""

    root: Path
    dsn: str
    place: LookTarget = field(init=False)
    project: Project = field(init=False)

    def __post_init__(self) -> None:
        self.project = project_at(self.root)
        self.place = place_of(self.dsn)

    def migration(self, version: int, up: str) -> None:
        text = f"-- migrate:up\n{up}\n-- migrate:down\nSELECT 1;\n"
        write(self.root, f"db/migrations/{version}_step.sql", text)

    @property
    def migrations(self) -> Sequence[Migration]:
        return migration_files.load(self.project.migrations)

    def up(self) -> None:
        for _ in runner.up(self.dsn, self.migrations):
            pass

    def facts(self, dsn: str = "") -> dict[str, Fact]:
        """All of them, read now; through ``dsn`` where it is given."""
        place = replace(self.place, dsn=lambda: dsn) if dsn else self.place
        found: dict[str, Fact] = {}
        take(place, self.project, self.migrations, 20.0, found)
        return found

    def fact(self, name: str, dsn: str = "") -> Fact:
        return self.facts(dsn)[name]

    def said(self, name: str) -> list[str]:
        """What of a fact needs a person."""
        return [finding.said for finding in self.fact(name).findings]

    def unknown(self, dsn: str = "") -> dict[str, str]:
        """The facts that are unknown, with the reason."""
        return {n: f.reason for n, f in self.facts(dsn).items() if isinstance(f, Unknown)}

    def level(self, name: str) -> Level:
        return self.fact(name).level
