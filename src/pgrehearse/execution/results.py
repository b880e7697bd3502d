"""What running a cell or a document gave. Everything the front ends show comes from these records."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pgrehearse.execution.folders import Held
from pgrehearse.findings import Finding

if TYPE_CHECKING:  # else a session, and `db up`, would load the reader of documents
    from pgrehearse.text.document import Cell, Document

__all__ = ["CellResult", "DocumentResult", "wrong"]


def wrong(
    message: str, line: int, *, statement: str = "", detail: str = "", next_step: str = "", sqlstate: str = ""
) -> Finding:
    """What a cell did that it should not have. ``line`` is in the document, whose path comes later."""
    return Finding(
        message,
        None,
        line,
        kind="cell",
        statement=statement,
        detail=detail,
        next_step=next_step,
        sqlstate=sqlstate,
    )


@dataclass(frozen=True)
class CellResult:
    """``status``: passed, failed, skipped, notrun. ``seconds``: wall time."""

    cell: Cell
    status: str
    output: str = ""
    failure: Finding | None = None
    reason: str = ""
    seconds: float = 0.0
    #: statements that \gexec generated and sent
    generated: tuple[str, ...] = ()
    #: what it sent, in order; of a query for \gexec, what it generated
    sent: tuple[str, ...] = ()
    #: of a bash cell: it changed nothing on the server, see `traces`; what its folder held before
    quiet: bool = False
    folder: Held | None = None


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
    #: what it left on a server that other documents will find it on, by kind and name
    left: tuple[str, ...] = ()

    @property
    def green(self) -> bool:
        return not self.left and all(result.status in ("passed", "skipped") for result in self.cells)

    @property
    def findings(self) -> list[Finding]:
        """What failed, with the document and the server."""
        return [
            replace(one, path=self.document.path, message=f"{one.message} [PostgreSQL {self.version}]")
            for one in (result.failure for result in self.cells)
            if one is not None
        ] + self._left()

    def _left(self) -> list[Finding]:
        if not self.left:
            return []
        message = f"it left behind what other documents find, too: {', '.join(self.left)}"
        next_step = "remove it in a last cell, or rehearse on servers of our own (without --server)"
        return [Finding(message, self.document.path, 0, kind="cell", next_step=next_step)]

    def count(self, status: str) -> int:
        return sum(result.status == status for result in self.cells)

    def report(self, path: str) -> str:
        """The failures as a person reads them: where, which statement, expected and actual, what next."""
        parts = [finding.report(lambda _: path) for finding in self.findings]
        left = self.count("notrun")
        if left:
            parts.append(f"  {left} later cell{'s' if left > 1 else ''} did not run")
        if self.psql_line:
            parts.append(f"  the database was kept; open it with:\n    {self.psql_line}")
        return "\n".join(parts)
