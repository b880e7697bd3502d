"""Evidence: the measured facts of a document's cells, committed, one small JSON file a document.

Majors on which a statement had the same facts share an entry, so a diff shows what a new major changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pgrehearse import sealed
from pgrehearse.measurement.evidence.seals import broken
from pgrehearse.measurement.statement.facts import Facts
from pgrehearse.text.document import Cell

__all__ = [
    "CellEvidence",
    "DocumentEvidence",
    "LastMeasured",
    "StatementEvidence",
    "cell_digest",
    "cell_key",
    "load",
    "save",
]


#: What evidence leaves out, because it differs from run to run.
_NOT_COMPARED = {"wal_bytes": 0, "seconds": 0.0}


def cell_digest(cell: Cell) -> str:
    """12 hex digits of a cell's source: evidence for another source is stale."""
    return hashlib.sha256(f"{cell.language}\0{cell.source}".encode()).hexdigest()[:12]


def cell_key(cell: Cell) -> str:
    """The digest of ``cell``, and a number where an earlier one has the same text."""
    return f"{cell_digest(cell)}.{cell.earlier + 1}" if cell.earlier else cell_digest(cell)


@dataclass(frozen=True)
class StatementEvidence:
    """What one statement did, per server major (as text)."""

    sql: str
    facts: Mapping[str, Facts]


@dataclass(frozen=True)
class CellEvidence:
    """What the statements of one cell did; ``cell``: its key, see `cell_key`."""

    cell: str
    statements: tuple[StatementEvidence, ...]

    def majors(self) -> list[str]:
        return sorted({major for statement in self.statements for major in statement.facts})


@dataclass(frozen=True)
class LastMeasured:
    """When and on what a major was measured last.

    ``only``: of a preview, a digest of the cells that no released server runs: of which text they ran.
    """

    version: str
    date: str
    only: str = ""


@dataclass(frozen=True)
class DocumentEvidence:
    """What a document's cells did when it was measured last.

    ``document``: its path below the project. ``measured``: major (as text) to the server that ran it.
    """

    document: str
    measured: Mapping[str, LastMeasured] = field(default_factory=dict)
    cells: tuple[CellEvidence, ...] = ()

    def of(self, cell: Cell) -> CellEvidence | None:
        """The evidence of ``cell``, or None when there is none for its text."""
        return self._by_key.get(cell_key(cell))

    @cached_property
    def _by_key(self) -> Mapping[str, CellEvidence]:
        return {entry.cell: entry for entry in reversed(self.cells)}

    def with_major(
        self,
        major: str,
        measured: LastMeasured,
        present: Sequence[Cell],
        cells: Sequence[tuple[Cell, Sequence[tuple[str, Facts]]]],
    ) -> DocumentEvidence:
        """This evidence with the facts of ``major`` replaced by those of ``cells``.

        ``present``: the document's cells with DDL, in order. What stands here of others is forgotten; one
        that is for other majors only keeps their facts.
        """
        entries = []
        found = {cell.index: statements for cell, statements in cells}
        for cell in present:
            statements = found.get(cell.index, ())
            before = self.of(cell)
            old = {entry.sql: entry.facts for entry in before.statements} if before else {}
            # A statement another major alone has (\gexec may generate none) stays.
            texts = list(dict.fromkeys([*(sql for sql, _ in statements), *old]))
            new = dict(statements)
            merged = []
            for sql in texts:
                facts = {key: value for key, value in old.get(sql, {}).items() if key != major}
                facts |= {major: new[sql]} if sql in new else {}
                if facts:
                    merged.append(StatementEvidence(sql, facts))
            entries.append(CellEvidence(cell_key(cell), tuple(merged)))
        return DocumentEvidence(self.document, {**self.measured, major: measured}, tuple(entries))


def _file(folder: Path, document: str) -> Path:
    return folder / (document.removesuffix(".md").replace("/", ".") + ".json")


def load(folder: Path, document: str) -> DocumentEvidence:
    """The evidence of ``document`` (path relative to the project); empty when nothing was measured.

    Raises DocumentError for a file that is not evidence.
    """
    file = _file(folder, document)
    if not file.is_file():
        return DocumentEvidence(document)
    try:
        data = sealed.read(file)
        if data["document"] != document:
            raise sealed.Broken(f"is of {data['document']}")
        measured = {major: LastMeasured(**value) for major, value in data["measured"].items()}
        cells = tuple(_cell(entry) for entry in data["cells"])
    except (sealed.Broken, KeyError, TypeError, AttributeError) as error:
        step = f"delete it and measure again: pgrehearse measure --refresh {document}"
        raise broken(file, error, step) from error
    return DocumentEvidence(document, measured, cells)


def save(folder: Path, evidence: DocumentEvidence) -> Path:
    """Write the file of a document."""
    data = {
        "document": evidence.document,
        "measured": {
            major: {key: text for key, text in sorted(vars(value).items()) if text}
            for major, value in sorted(evidence.measured.items())
        },
        "cells": [
            {
                "cell": cell.cell,
                "statements": [
                    {"sql": statement.sql, "facts": _grouped(statement.facts)}
                    for statement in cell.statements
                ],
            }
            for cell in evidence.cells
        ],
    }
    return sealed.write(_file(folder, evidence.document), data)


def _grouped(facts: Mapping[str, Facts]) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = []
    for major, value in sorted(facts.items()):
        comparable = value.comparable()
        same = next((group for group in groups if group["facts"] == comparable), None)
        if same is None:
            groups.append({"majors": [major], "facts": comparable})
        else:
            same["majors"].append(major)
    return groups


def _cell(entry: Mapping[str, Any]) -> CellEvidence:
    statements = tuple(
        StatementEvidence(
            statement["sql"],
            {
                major: Facts.from_json({**_NOT_COMPARED, **group["facts"]})
                for group in statement["facts"]
                for major in group["majors"]
            },
        )
        for statement in entry["statements"]
    )
    return CellEvidence(entry["cell"], statements)
