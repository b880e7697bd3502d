"""What running a cell or a document gave. Everything the front ends show comes from these records."""

from __future__ import annotations

from dataclasses import dataclass, field

from pgrehearse.errors import ExpectationError
from pgrehearse.text.document import Cell, Document

__all__ = ["CellResult", "DocumentResult", "Failure", "indented"]


@dataclass(frozen=True)
class Failure:
    """What a cell did that it should not have. ``line`` is in the document."""

    message: str
    line: int
    statement: str = ""
    #: a diff, a traceback, or PostgreSQL's own text
    detail: str = ""
    next_step: str = ""
    sqlstate: str | None = None

    def error(self, document: Document) -> ExpectationError:
        return ExpectationError(self.message, path=document.path, line=self.line, next_step=self.next_step)


@dataclass(frozen=True)
class CellResult:
    """``status``: passed, failed, skipped, notrun. ``seconds``: wall time."""

    cell: Cell
    status: str
    output: str = ""
    failure: Failure | None = None
    reason: str = ""
    seconds: float = 0.0
    #: statements that \gexec generated and sent
    generated: tuple[str, ...] = ()


@dataclass(frozen=True)
class DocumentResult:
    """One document on one server major.

    ``seconds`` is wall time; ``setup_seconds`` the part until the first cell; ``busy_seconds`` the part in
    which PostgreSQL or a Python cell was at work. ``psql_line`` opens the database kept after a failure.
    """

    document: Document
    major: int
    version: str
    cells: tuple[CellResult, ...]
    seconds: float = 0.0
    setup_seconds: float = 0.0
    busy_seconds: float = 0.0
    psql_line: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def green(self) -> bool:
        return all(result.status in ("passed", "skipped") for result in self.cells)

    @property
    def failures(self) -> list[CellResult]:
        return [result for result in self.cells if result.failure is not None]

    def count(self, status: str) -> int:
        return sum(result.status == status for result in self.cells)

    def report(self, path: str) -> str:
        """The failures as a person reads them: where, which statement, expected and actual, what next."""
        parts = []
        for result in self.failures:
            failure = result.failure
            assert failure is not None
            parts.append(f"{path}:{failure.line}: {failure.message} [PostgreSQL {self.version}]")
            if failure.statement:
                parts.append(indented(failure.statement))
            if failure.detail:
                parts.append(indented(failure.detail))
            if failure.next_step:
                parts.append(f"  next: {failure.next_step}")
        left = self.count("notrun")
        if left:
            parts.append(f"  {left} later cell{'s' if left > 1 else ''} did not run")
        if self.psql_line:
            parts.append(f"  the database was kept; open it with:\n    {self.psql_line}")
        return "\n".join(parts)


def indented(text: str) -> str:
    """``text`` as it stands below the line that it belongs to."""
    return "\n".join("    " + line for line in text.split("\n"))
