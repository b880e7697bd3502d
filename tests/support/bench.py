"""A project of a test's own, and ``pgrehearse`` called on it, in this process or as one of its own."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pgrehearse.main import main
from support.processes import PGREHEARSE, Ended, start
from support.projects import write

__all__ = ["Bench"]


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
        return write(self.root, name, text)

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
        handlers = {
            number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        captured = self._capsys.readouterr()
        code = ended.value.code
        return Ended(code if isinstance(code, int) else int(code is not None), captured.out, captured.err)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ``pgrehearse ARGUMENTS`` as a process of its own; ended with the test."""
        self.started.append(start((*PGREHEARSE, *arguments), self.root))
        return self.started[-1]

    def logs(self) -> list[list[dict[str, Any]]]:
        """The events of each run log, oldest first. Every line must be JSON."""
        files = sorted((self.root / ".pgrehearse" / "runs").glob("*.jsonl"))
        return [[json.loads(line) for line in file.read_text("utf-8").splitlines()] for file in files]

    def line(self, text: str, part: str) -> int:
        """The line on which ``part``, which stands in ``text`` once, begins."""
        assert text.count(part) == 1, f"{part!r} stands {text.count(part)} times"
        return text[: text.index(part)].count("\n") + 1


def _fenced(text: str) -> str:
    return text if text.startswith("```") else f"```sql\n{text}\n```"
