"""A project of its own for each test, a marked database, and ``pgrehearse`` called in this process."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from pgrehearse.main import main

#: Seconds a condition may take before a test fails.
LIMIT = 20.0


@dataclass(frozen=True)
class Ended:
    """How a call ended: its exit status, standard output, standard error."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Database:
    """A database a test may do anything to."""

    dsn: str

    @property
    def name(self) -> str:
        return str(conninfo_to_dict(self.dsn)["dbname"])

    def execute(self, text: str) -> list[tuple[Any, ...]]:
        """Run ``text`` on a connection of its own; the rows, if it gives some."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.execute(sql.SQL(text))
            return cursor.fetchall() if cursor.description else []

    def tag(self, environment: str) -> None:
        name, value = sql.Identifier(self.name), sql.Literal(environment)
        statement = sql.SQL("ALTER DATABASE {} SET pgrehearse.environment = {}").format(name, value)
        self.execute(statement.as_string())

    def trace(self) -> list[str]:
        """What the steps wrote into the table ``trace``, in order."""
        return [str(row[0]) for row in self.execute("SELECT note FROM trace ORDER BY at")]

    def running(self, part: str) -> bool:
        """Whether a statement of pgrehearse that holds ``part`` is under way."""
        found = self.execute(
            "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
            " AND application_name LIKE 'pgrehearse %'"
        )
        return any(part in query for (query,) in found)

    def backends(self) -> int:
        """Connections of pgrehearse to this database."""
        found = self.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name LIKE 'pgrehearse%'"
        )
        return int(found[0][0])


class Bench:
    """A project below ``root``; ``call`` runs the command inside it."""

    def __init__(
        self, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.root = root
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.started: list[subprocess.Popen[str]] = []
        self.write("pyproject.toml", "")

    def write(self, name: str, text: str) -> Path:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def runbook(self, apply: Sequence[str], name: str = "sample", **other: str) -> str:
        """Write a runbook and return its text. Each text of ``apply`` is a cell, or a fence of its own.

        ``other``: preflight, verify and back instead of cells that always pass, and parameters (YAML).
        """
        cells = {
            "parameters": "",
            "preflight": "SELECT 'ok' AS preflight;",
            "verify": "SELECT 'ok' AS verify;",
            "back": "TRUNCATE trace;",
            **other,
        }
        parameters = f"parameters:\n{cells['parameters']}" if cells["parameters"] else ""
        text = "\n".join(
            [
                "---\ntitle: Sample\njupyter:\n  jupytext:\n    main_language: python",
                f"{parameters}---\n\n# Sample\n",
                f"## Preflight\n\n{_fenced(cells['preflight'])}\n",
                "## Apply\n",
                *[f"### {number}. Step\n\n{_fenced(cell)}\n" for number, cell in enumerate(apply, 1)],
                f"## Verify\n\n{_fenced(cells['verify'])}\n",
                f"## Roll back\n\n{_fenced(cells['back'])}\n",
            ]
        )
        self.write(f"runbooks/{name}.md", text)
        return text

    def call(self, *arguments: str, answers: str = "") -> Ended:
        """Run ``pgrehearse ARGUMENTS``; ``answers`` is its standard input."""
        self._monkeypatch.setattr(sys, "argv", ["pgrehearse", *arguments])
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(answers))
        with pytest.raises(SystemExit) as ended:
            main()
        captured = self._capsys.readouterr()
        code = ended.value.code
        return Ended(code if isinstance(code, int) else int(code is not None), captured.out, captured.err)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ``pgrehearse ARGUMENTS`` as a process of its own; ended with the test."""
        process = subprocess.Popen(
            [sys.executable, "-m", "pgrehearse", *arguments],
            cwd=self.root,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def logs(self) -> list[list[dict[str, Any]]]:
        """The events of each run log, oldest first. Every line must be JSON."""
        files = sorted((self.root / ".pgrehearse" / "runs").glob("*.jsonl"))
        return [[json.loads(line) for line in file.read_text("utf-8").splitlines()] for file in files]

    def line(self, text: str, part: str) -> int:
        """The line on which ``part``, which stands in ``text`` once, begins."""
        assert text.count(part) == 1, f"{part!r} stands {text.count(part)} times"
        return text[: text.index(part)].count("\n") + 1

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + LIMIT
        while not condition():
            assert time.monotonic() < deadline, f"not within {LIMIT} s: {what}"
            time.sleep(0.01)


def _fenced(text: str) -> str:
    return text if text.startswith("```") else f"```sql\n{text}\n```"


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
        process.kill()
        process.communicate()


@pytest.fixture
def plain(database: str) -> Database:
    """A fresh, empty, unmarked database."""
    return Database(database)


@pytest.fixture
def staging(plain: Database) -> Database:
    """A fresh database marked staging, with a table for steps to leave a trace in."""
    plain.tag("staging")
    plain.execute("CREATE TABLE trace (at int GENERATED ALWAYS AS IDENTITY, note text)")
    return plain
