"""A project with migrations of a test's own, and a database to run them in."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgrehearse.errors import PgRehearseError
from pgrehearse.execution.backoff import Backoff
from pgrehearse.migration.runner.ledger import Ledger
from pgrehearse.migration.runner.ledger_rows import AttemptRow
from pgrehearse.migration.runner.runner import DoneMigration, RunnerOptions, down, up
from pgrehearse.text import migration_files
from pgrehearse.text.migration_files import Migration
from support.databases import Database
from support.processes import PGREHEARSE, Ended, call, end, start
from support.projects import write
from support.waiting import LIMIT

__all__ = ["QUICK", "Place", "place_at"]

#: Patience that does not make a test slow.
QUICK = RunnerOptions(lock_timeout="200ms", backoff=Backoff(2), wait=LIMIT)


@dataclass(frozen=True)
class Place(Database):
    """A folder with ``db/migrations`` and a database marked as one for tests."""

    root: Path
    told: list[str] = field(default_factory=list)
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def write(self, version: int | str, up: str, down: str | None = "", name: str = "step") -> Path:
        """Write a migration. A part that begins with ``transaction:false`` gets that option."""
        text = _section("up", up) + ("" if down is None else _section("down", down))
        return write(self.root, f"db/migrations/{version}_{name}.sql", text)

    def migrations(self) -> list[Migration]:
        return migration_files.load(self.root / "db" / "migrations")

    def up(self, **options: Any) -> list[DoneMigration]:
        options = {"options": QUICK, "tell": self.told.append, **options}
        return list(up(self.dsn, self.migrations(), **options))

    def down(self, **options: Any) -> list[DoneMigration]:
        options = {"options": QUICK, "tell": self.told.append, **options}
        return list(down(self.dsn, self.migrations(), **options))

    def refused(self, kind: type[PgRehearseError], **options: Any) -> PgRehearseError:
        """The error of an ``up`` that must not go through."""
        with pytest.raises(kind) as error:
            self.up(**options)
        return error.value

    def attempts(self) -> list[AttemptRow]:
        with psycopg.connect(self.dsn) as connection:
            return Ledger(connection).attempts()

    def applied(self) -> list[str]:
        with psycopg.connect(self.dsn) as connection:
            return list(Ledger(connection).known().applied)

    def invalid(self) -> list[str]:
        found = self.execute(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1"
        )
        return [name for (name,) in found]

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start ``pgrehearse db WORDS --dsn ...`` as a process of its own; ended with the test."""
        self.processes.append(start((*PGREHEARSE, "db", *words, "--dsn", self.dsn), self.root))
        return self.processes[-1]

    def command(self, *words: str) -> Ended:
        """Run ``pgrehearse db WORDS --dsn ...`` to its end."""
        return call((*PGREHEARSE, "db", *words, "--dsn", self.dsn), self.root)


def _section(side: str, text: str) -> str:
    options, _, rest = text.partition("\n") if text.startswith("transaction:") else ("", "", text)
    return f"-- migrate:{side} {options}".rstrip() + f"\n\n{rest.strip()}\n\n"


@contextmanager
def place_at(root: Path, dsn: str) -> Iterator[Place]:
    """A place in an empty folder and an empty database; its processes end with the block."""
    made = Place(dsn, root)
    write(root, "pyproject.toml", "")
    (root / "db" / "migrations").mkdir(parents=True, exist_ok=True)
    made.mark("test")
    try:
        yield made
    finally:
        for process in made.processes:
            end(process)
