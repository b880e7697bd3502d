"""Python cells run in a process of their own: one a document, started when the document needs it.

A cell that loops for ever or kills its interpreter then ends that process, not the run. What became of a cell
is what its process signed: see `pgrehearse.execution.python_worker`.
"""

from __future__ import annotations

import json
import os
import secrets
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from hmac import compare_digest
from pathlib import Path

from pgrehearse.execution import cell_process
from pgrehearse.execution.bounds import ROOM, too_long
from pgrehearse.execution.results import CellResult, wrong
from pgrehearse.findings import Finding
from pgrehearse.servers.process_environment import libpq_environment
from pgrehearse.text.document import LOOKING, Cell
from pgrehearse.text.looking import READ_ONLY_OPTION

__all__ = ["PythonCells"]

#: Bytes of an answer: each character of the output may take twelve (a pair of surrogates, escaped).
_ANSWER = 12 * ROOM + (1 << 20)


class PythonCells:
    """The Python process of one document. Its variables last from cell to cell."""

    def __init__(self, path: Path, environment: dict[str, str], values: Mapping[str, str]) -> None:
        self.path = path
        self.environment = environment
        self.values = dict(values)
        #: (start, end) on the monotonic clock of every cell
        self.intervals: list[tuple[float, float]] = []
        self._process: cell_process.CellProcess | None = None
        self._key = b""

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
            self._key = secrets.token_bytes(32)
            assert self._process.stdin is not None
            self._process.stdin.write(self._key.hex().encode() + b"\n")

    def run(self, cell: Cell, timeout: float) -> CellResult:
        """Execute one cell; ``timeout`` in seconds."""
        started = time.monotonic()
        self.warm()
        answer = self._ask(cell, timeout)
        output = answer.get("output", "").rstrip("\n")
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
                with suppress(BrokenPipeError):  # the key, written and not sent, has no reader now
                    pipe.close()

    def _ask(self, cell: Cell, timeout: float) -> dict[str, str]:
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        number = secrets.token_hex(8)
        question = {
            "number": number,
            "source": cell.source,
            "line": cell.first_line,
            "path": str(self.path),
            "values": self.values,
            "options": self._options(cell),
            "room": ROOM,
        }
        try:
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            return self._died()
        limit = time.monotonic() + timeout
        process.room = ROOM
        received = bytearray()
        while not received.endswith(b"\n"):
            left = limit - time.monotonic()
            if process.room < 0:
                self.close()
                return {"full": "yes"}
            if left <= 0:
                self.close()
                return {"error": "the cell did not finish in time"}
            if select.select([process.stdout], [], [], min(left, 0.5))[0]:
                chunk = os.read(process.stdout.fileno(), 65536)
                if not chunk:
                    return self._died()
                received += chunk
                if len(received) > _ANSWER:
                    return self._disturbed()
        answer = self._answer(bytes(received), number)
        return {**answer, "full": "yes"} if process.room < 0 else answer

    def _answer(self, received: bytes, number: str) -> dict[str, str]:
        """What the answer to the question ``number`` says, if it is one."""
        seal, _, body = received[:-1].partition(b" ")
        wanted = blake2b(number.encode() + body, key=self._key).hexdigest().encode()
        if not compare_digest(seal, wanted):
            return self._disturbed()
        answer: dict[str, str] = json.loads(body)
        # Halves of surrogate pairs are text to Python and to nobody else.
        return {name: text.encode("utf-8", "backslashreplace").decode() for name, text in answer.items()}

    def _options(self, cell: Cell) -> str:
        """PGOPTIONS of the connections the cell makes: those of a phase that only looks are READ ONLY."""
        given = self.environment.get("PGOPTIONS", "")
        return f"{given} {READ_ONLY_OPTION}".strip() if cell.phase in LOOKING else given

    def _disturbed(self) -> dict[str, str]:
        """Somebody else than the cell's own process wrote where it answers; what it does is not known."""
        self.close()
        return {"error": "the cell wrote into the runner's own descriptor, or something it left behind did"}

    def _died(self) -> dict[str, str]:
        code = self._process.wait() if self._process else None
        self.close()
        return {"error": f"the Python process ended with status {code}"}

    def _failure(self, cell: Cell, answer: dict[str, str], output: str) -> Finding | None:
        if "full" in answer or len(output) > ROOM:
            return too_long(cell)
        if "error" not in answer:
            return None
        return wrong(
            answer["error"],
            int(answer.get("line", cell.first_line)),
            detail=answer.get("traceback", "") or output,
            next_step="mend the cell",
        )
