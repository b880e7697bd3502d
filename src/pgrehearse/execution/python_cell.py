"""Python cells run in a process of their own: one a document, started when the document needs it.

A cell that loops for ever or kills its interpreter then ends that process, not the run.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from pgrehearse.execution import cell_process
from pgrehearse.execution.results import CellResult, wrong
from pgrehearse.findings import Finding
from pgrehearse.servers.base import libpq_environment
from pgrehearse.text.document import LOOKING, Cell
from pgrehearse.text.looking import READ_ONLY_OPTION

__all__ = ["PythonCells"]


class PythonCells:
    """The Python process of one document. Its variables last from cell to cell."""

    def __init__(self, path: Path, environment: dict[str, str], values: Mapping[str, str]) -> None:
        self.path = path
        self.environment = environment
        self.values = dict(values)
        #: (start, end) on the monotonic clock of every cell
        self.intervals: list[tuple[float, float]] = []
        self._process: cell_process.CellProcess | None = None

    def warm(self) -> None:
        """Start the process now, so that it is there when the first cell comes."""
        if self._process is None:
            self._process = cell_process.start(
                [sys.executable, "-u", "-m", "pgrehearse.execution.python_worker"],
                libpq_environment(self.environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=None,
            )

    def run(self, cell: Cell, timeout: float) -> CellResult:
        """Execute one cell; ``timeout`` in seconds."""
        started = time.monotonic()
        self.warm()
        answer = self._ask(cell, timeout)
        output = str(answer.get("output", "")).rstrip("\n")
        failure = self._failure(cell, answer, output)
        ended = time.monotonic()
        self.intervals.append((started, ended))
        status = "failed" if failure else "passed"
        return CellResult(cell, status, output, failure, seconds=ended - started)

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.end()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()

    def _ask(self, cell: Cell, timeout: float) -> dict[str, object]:
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        question = {
            "source": cell.source,
            "line": cell.first_line,
            "path": str(self.path),
            "values": self.values,
            "options": self._options(cell),
        }
        try:
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            return self._died()
        limit = time.monotonic() + timeout
        received = b""
        while not received.endswith(b"\n"):
            left = limit - time.monotonic()
            if left <= 0:
                self.close()
                return {"error": "the cell did not finish in time", "line": cell.first_line}
            if select.select([process.stdout], [], [], min(left, 0.5))[0]:
                chunk = os.read(process.stdout.fileno(), 65536)
                if not chunk:
                    return self._died()
                received += chunk
        answer: dict[str, object] = json.loads(received)
        return answer

    def _options(self, cell: Cell) -> str:
        """PGOPTIONS of the connections the cell makes: those of a phase that only looks are READ ONLY."""
        given = self.environment.get("PGOPTIONS", "")
        return f"{given} {READ_ONLY_OPTION}".strip() if cell.phase in LOOKING else given

    def _died(self) -> dict[str, object]:
        code = self._process.wait() if self._process else None
        self.close()
        return {"error": f"the Python process ended with status {code}"}

    def _failure(self, cell: Cell, answer: dict[str, object], output: str) -> Finding | None:
        if "error" not in answer:
            return None
        line = answer.get("line")
        return wrong(
            str(answer["error"]),
            line if isinstance(line, int) else cell.first_line,
            detail=str(answer.get("traceback", "")) or output,
            next_step="mend the cell",
        )
