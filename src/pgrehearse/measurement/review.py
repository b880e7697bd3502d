"""Measures a document on one major, checks its claims, and compares the facts with the committed evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pgrehearse.clock import today
from pgrehearse.execution.rehearser import Rehearser, check_form
from pgrehearse.findings import Finding
from pgrehearse.majors import PREVIEW, outlived
from pgrehearse.measurement.cells import check_claims, is_measured, measure_cells
from pgrehearse.measurement.evidence import cells
from pgrehearse.measurement.evidence.cells import DocumentEvidence, LastMeasured
from pgrehearse.measurement.statement.facts import Facts
from pgrehearse.text.document import Cell, Document

__all__ = ["Review", "has_facts", "review", "stale_cells", "stale_preview"]

_REFRESH = "find out why, then accept the new facts with `pgrehearse measure --refresh`"


@dataclass(frozen=True)
class Review:
    """``mismatches`` are wrong claims, ``changes`` facts other than the committed ones."""

    version: str
    statements: int
    seconds: float
    mismatches: tuple[Finding, ...]
    changes: tuple[Finding, ...]
    evidence: DocumentEvidence

    @property
    def green(self) -> bool:
        return not self.mismatches and not self.changes


def stale_cells(document: Document, known: DocumentEvidence) -> list[Cell]:
    """Cells with DDL for whose present text there is no evidence."""
    return [cell for cell in document.cells if is_measured(cell) and known.of(cell) is None]


def has_facts(document: Document) -> bool:
    """Whether there is something to measure in it, or cells that only a preview runs."""
    return any(map(is_measured, document.cells)) or any(_only(document, major) for major in PREVIEW)


def stale_preview(document: Document, known: DocumentEvidence) -> list[str]:
    """What is wrong with what is known of cells that only a preview runs, and so nobody without one."""
    return [
        f"cells that need PostgreSQL {major} changed since they ran on {version}, or never did"
        for major, version in PREVIEW.items()
        if (only := _only(document, major))
        and (str(major) not in known.measured or known.measured[str(major)].only != only)
    ]


def _only(document: Document, major: int) -> str:
    """12 hex digits of the cells that need the preview ``major``; empty when there is none."""
    digests = [cell.digest for cell in document.cells if major in PREVIEW and cell.options.needs == major]
    return hashlib.sha256(" ".join(digests).encode()).hexdigest()[:12] if digests else ""


def review(
    rehearser: Rehearser,
    document: Document,
    major: int | None,
    folder: Path,
    progress: Callable[[Cell], None] = lambda cell: None,
) -> Review:
    """Measure every DDL cell. Raises DocumentError for its form, ExpectationError when a cell is red."""
    check_form(document, rehearser.project)
    server = rehearser.servers.get(major)
    known = cells.load(folder, rehearser.project.relative(document.path))
    measured = list(measure_cells(rehearser, document, major, progress))
    mismatches = list(_red(rehearser, document, server.major)) if _only(document, server.major) else []
    before = known.measured.get(str(server.major))
    wrong = outlived(before.version, server.version) if before and measured else []
    changes = [
        Finding(text, document.path, kind="evidence", next_step=_REFRESH)
        for text in (*wrong, *stale_preview(document, known))
    ]
    for cell, statements in measured:
        mismatches += check_claims(document, cell, statements, server.version)
        changes += _changes(document, cell, statements, known, str(server.major), server.version)
    facts = [found for _, statements in measured for _, found in statements]
    return Review(
        server.version,
        len(facts),
        sum(found.seconds for found in facts),
        tuple(mismatches),
        tuple(changes),
        known.with_major(
            str(server.major),
            LastMeasured(server.version, today(), _only(document, server.major)),
            [cell for cell in document.in_order() if is_measured(cell)],
            measured,
        ),
    )


def _red(rehearser: Rehearser, document: Document, major: int) -> Iterator[Finding]:
    """What a run of the document on a preview found wrong: measuring runs what stands before DDL only."""
    for cell in rehearser.rehearse(document, major).cells:
        if cell.failure is not None:
            yield replace(cell.failure, path=document.path, line=cell.failure.line or cell.cell.line)


def _changes(
    document: Document,
    cell: Cell,
    statements: Sequence[tuple[str, Facts]],
    known: DocumentEvidence,
    major: str,
    version: str,
) -> list[Finding]:
    """Facts that differ from the committed ones, or for which there are none."""
    before = known.of(cell)
    found = []
    for sql, facts in statements:
        old = next((s.facts.get(major) for s in before.statements if s.sql == sql), None) if before else None
        where = f"{sql[:60]} [PostgreSQL {version}]"
        if old is None:
            found.append(f"no committed evidence: {where}")
        elif old.comparable() != facts.comparable():
            found.append(f"{where}: " + "; ".join(_differences(old.comparable(), facts.comparable())))
    return [Finding(text, document.path, cell.line, kind="evidence", next_step=_REFRESH) for text in found]


def _differences(old: dict[str, object], new: dict[str, object]) -> list[str]:
    keys = sorted(set(old) | set(new))
    return [
        f"{key} was {old.get(key, 'none')}, is {new.get(key, 'none')}"
        for key in keys
        if old.get(key) != new.get(key)
    ]
