"""A project with migrations of a test's own, and a database to run them in."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from pgrehearse.errors import PgRehearseError
from pgrehearse.migration.runner.ledger import Attempt, Ledger
from pgrehearse.migration.runner.runner import Done, RunnerOptions, down, up
from pgrehearse.servers import Server
from pgrehearse.text import migration_files
from pgrehearse.text.migration_files import Migration

#: Seconds a condition may take before a test fails.
LIMIT = 30.0
#: Patience that does not make a test slow.
QUICK = RunnerOptions(lock_timeout="200ms", attempts=2, wait=LIMIT)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, f"not within {LIMIT} s: {what}"
        time.sleep(0.005)


@dataclass
class Place:
    """A folder with ``db/migrations`` and a database marked as one for tests."""

    root: Path
    dsn: str
    told: list[str] = field(default_factory=list)
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def write(self, version: int | str, up: str, down: str | None = "", name: str = "step") -> Path:
        """Write a migration. A part that begins with ``transaction:false`` gets that option."""
        text = _section("up", up) + ("" if down is None else _section("down", down))
        file = self.root / "db" / "migrations" / f"{version}_{name}.sql"
        file.write_text(text, encoding="utf-8")
        return file

    def migrations(self) -> list[Migration]:
        return migration_files.load(self.root / "db" / "migrations")

    def up(self, **options: Any) -> list[Done]:
        options = {"options": QUICK, "tell": self.told.append, **options}
        return list(up(self.dsn, self.migrations(), **options))

    def down(self, **options: Any) -> list[Done]:
        options = {"options": QUICK, "tell": self.told.append, **options}
        return list(down(self.dsn, self.migrations(), **options))

    def refused(self, kind: type[PgRehearseError], **options: Any) -> PgRehearseError:
        """The error of an ``up`` that must not go through."""
        with pytest.raises(kind) as error:
            self.up(**options)
        return error.value

    def execute(self, text: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.execute(text.encode())
            return cursor.fetchall() if cursor.description else []

    def one(self, text: str) -> Any:
        return self.execute(text)[0][0]

    @contextmanager
    def session(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of an application, in a transaction of its own."""
        with psycopg.connect(self.dsn) as connection:
            yield connection
            with suppress(psycopg.OperationalError):  # a test may have ended the server
                connection.rollback()

    def attempts(self) -> list[Attempt]:
        with psycopg.connect(self.dsn) as connection:
            return Ledger(connection).attempts()

    def applied(self) -> list[str]:
        with psycopg.connect(self.dsn) as connection:
            return list(Ledger(connection).applied())

    def invalid(self) -> list[str]:
        found = self.execute(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1"
        )
        return [name for (name,) in found]

    def running(self, part: str, waits: bool = False) -> bool:
        """Whether the runner executes a statement that holds ``part``, and waits for a lock if so asked."""
        found = self.execute(
            "SELECT query, wait_event_type FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'pgrehearse db' AND state = 'active'"
        )
        return any(part in query and (not waits or kind == "Lock") for query, kind in found)

    def runners(self) -> int:
        return int(
            self.one(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name LIKE 'pgrehearse%'"
            )
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start ``pgrehearse db WORDS --dsn ...`` as a process of its own; ended with the test."""
        process = subprocess.Popen(
            [sys.executable, "-m", "pgrehearse", "db", *words, "--dsn", self.dsn],
            cwd=self.root,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def command(self, *words: str) -> tuple[int, str, str]:
        """Run ``pgrehearse db WORDS`` to its end: exit status, output, errors."""
        process = self.start(*words)
        out, err = process.communicate(timeout=LIMIT * 2)
        return process.returncode, out, err


def _section(side: str, text: str) -> str:
    options, _, rest = text.partition("\n") if text.startswith("transaction:") else ("", "", text)
    return f"-- migrate:{side} {options}".rstrip() + f"\n\n{rest.strip()}\n\n"


@contextmanager
def place_at(root: Path, dsn: str) -> Iterator[Place]:
    """A place in an empty folder and an empty database; its processes end with the block."""
    made = Place(root, dsn)
    (root / "pyproject.toml").write_text("", encoding="utf-8")
    (root / "db" / "migrations").mkdir(parents=True, exist_ok=True)
    name = sql.Identifier(str(conninfo_to_dict(dsn)["dbname"]))
    made.execute(sql.SQL("ALTER DATABASE {} SET pgrehearse.environment = 'test'").format(name).as_string())
    yield made
    for process in made.processes:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()


@pytest.fixture
def place(tmp_path: Path, database: str) -> Iterator[Place]:
    with place_at(tmp_path, database) as made:
        yield made


@pytest.fixture
def fresh(server: Server) -> Iterator[Callable[[], str]]:
    """Makes empty databases, as many as a test wants."""
    names: list[str] = []

    def make() -> str:
        names.append(f"test_{secrets.token_hex(4)}")
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(names[-1])))
        return server.dsn(names[-1])

    yield make
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        for name in names:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
