"""What a site publishes: its documents, what the records say each cell did, and the counts of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pgrehearse.errors import DocumentError
from pgrehearse.execution import records
from pgrehearse.execution.record_basis import surroundings
from pgrehearse.execution.records import CellRecord, Run
from pgrehearse.measurement.cells import is_measured
from pgrehearse.measurement.evidence import cells
from pgrehearse.measurement.evidence.cells import DocumentEvidence
from pgrehearse.text.document import Cell, Document, load
from pgrehearse.text.project import Project

__all__ = ["CellState", "Counts", "Published", "counts", "published_documents", "read"]


@dataclass(frozen=True)
class CellState:
    """What became of one cell. ``status``: run, skipped, failed, or unproven (no record of this text)."""

    cell: Cell
    status: str
    reason: str = ""
    #: majors on which it passed
    majors: tuple[str, ...] = ()
    #: the record that says it failed
    failure: CellRecord | None = None
    #: what it sent on the newest of these majors; of a query for \gexec, what it generated
    sent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Published:
    """A document with the runs that were made of exactly this text."""

    name: str
    document: Document
    states: tuple[CellState, ...]
    #: major -> run of this text
    runs: dict[str, Run] = field(default_factory=dict)
    has_record: bool = False
    #: there is a run of this text, but with other migrations, seed, snippets or settings
    moved: bool = False
    evidence: DocumentEvidence | None = None

    def lacks_facts(self, cell: Cell) -> bool:
        """Whether the project keeps evidence, the cell should have some, and there is none for its text."""
        return self.evidence is not None and is_measured(cell) and self.evidence.of(cell) is None

    def require_proof(self) -> None:
        """Raise DocumentError unless every cell ran, or was skipped with a reason, in a run of this text."""
        if not self.states:
            return
        rerun = f"execute it again: pgrehearse test {self.name}"
        path = self.name
        if not self.runs:
            what = "changed since it was last executed" if self.has_record else "was never executed"
            if self.moved:
                what = "was executed with other migrations, seed, snippets, settings or another pgrehearse"
            raise DocumentError(f"this document {what}", path=path, next_step=rerun)
        for state in self.states:
            if state.status == "failed" and state.failure:
                line = state.failure.message_line or state.cell.line
                message = f"failed in its last run: {state.failure.message}"
                raise DocumentError(message, path=path, line=line, next_step="mend the cell; " + rerun)
            if state.status == "run" and self.lacks_facts(state.cell):
                raise DocumentError(
                    "the measured facts of this cell are missing or belong to an older text",
                    path=path,
                    line=state.cell.line,
                    next_step=f"measure it: pgrehearse measure --refresh {self.name}",
                )
            if state.status == "unproven":
                raise DocumentError(
                    "this cell did not run in the last run", path=path, line=state.cell.line, next_step=rerun
                )


@dataclass(frozen=True)
class Counts:
    """Blocks of a set of documents; ``reasons`` maps the reason of a skip to how many cells it hit."""

    run: int = 0
    illustration: int = 0
    reasons: tuple[tuple[str, int], ...] = ()

    @property
    def skipped(self) -> int:
        return sum(number for _, number in self.reasons)

    @property
    def blocks(self) -> int:
        return self.run + self.illustration + self.skipped

    @property
    def sentence(self) -> str:
        """``212 blocks: 198 run, 9 illustration, 5 skipped (needs PostgreSQL 19)``."""
        why = "; ".join(
            f"{reason}" if len(self.reasons) == 1 else f"{n}: {reason}" for reason, n in self.reasons
        )
        skipped = f"{self.skipped} skipped" + (f" ({why})" if why else "")
        return f"{self.blocks} blocks: {self.run} run, {self.illustration} illustration, {skipped}"


def published_documents(project: Project, docs: Path) -> list[Path]:
    """Markdown files a site made of ``docs`` can show: its pages and the project's runbooks."""
    return [
        path for folder in (docs, project.runbooks) if folder.is_dir() for path in project.markdown((folder,))
    ]


def read(project: Project, path: Path) -> Published:
    """The document at ``path`` and what the records say about its cells. Raises DocumentError."""
    document = load(path)
    name = project.relative(path)
    record = records.load(project.records / "records", name)
    digest = records.text_digest(document.text)
    same = {major: run for major, run in record.runs.items() if run.text_digest == digest}
    around = surroundings(project, document) if same else ""
    fresh = {major: run for major, run in same.items() if run.surroundings == around}
    entries = [_Entries(run) for run in fresh.values()]
    stale = [] if fresh else [_Entries(run) for run in record.runs.values()]
    states = tuple(_state(cell, dict(zip(fresh, entries, strict=True)), stale) for cell in document.cells)
    known = cells.load(project.evidence, name) if project.evidence.is_dir() else None
    return Published(name, document, states, fresh, bool(record.runs), bool(same), known)


class _Entries:
    """The cells of one run, to be found by what they were, with or without where they stood."""

    def __init__(self, run: Run) -> None:
        self.placed = {(entry.digest, entry.line): entry for entry in run.cells}
        self.failed = {entry.digest: entry for entry in run.cells if entry.status == "failed"}


def _state(cell: Cell, fresh: dict[str, _Entries], stale: list[_Entries]) -> CellState:
    digest = cell.digest
    # A cell that failed and did not change since is still worth showing, although the text around it did.
    for run in stale:
        if digest in run.failed:
            return CellState(cell, "failed", failure=run.failed[digest])
    entries = {
        major: run.placed[digest, cell.line]
        for major, run in fresh.items()
        if (digest, cell.line) in run.placed
    }
    for entry in entries.values():
        if entry.status == "failed":
            return CellState(cell, "failed", failure=entry)
    passed = tuple(major for major, entry in entries.items() if entry.status == "passed")
    if passed:
        return CellState(cell, "run", majors=passed, sent=entries[max(passed, key=int)].sent)
    skipped = [entry.message for entry in entries.values() if entry.status == "skipped" and entry.message]
    return CellState(cell, "skipped", skipped[0]) if skipped else CellState(cell, "unproven")


def counts(documents: Iterable[Published]) -> Counts:
    """Blocks of ``documents`` by what became of them. Cells without proof are not counted as anything."""
    documents = list(documents)
    states = [state for item in documents for state in item.states]
    reasons = Counter(state.reason for state in states if state.status == "skipped")
    return Counts(
        run=sum(state.status == "run" for state in states),
        illustration=sum(len(item.document.illustrations) for item in documents),
        reasons=tuple(sorted(reasons.items())),
    )
