"""Records of runs: what each cell of a document did, per server major. The site reads these, never a server.

One JSON file a document below ``.pgrehearse/records/``. A run on one major replaces that major's entry only.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pgrehearse import files
from pgrehearse.errors import SetupError
from pgrehearse.servers.cache import locked

__all__ = ["CellRecord", "DocumentRecord", "Run", "load", "load_all", "save", "text_digest"]


@dataclass(frozen=True)
class CellRecord:
    """What one cell did. ``status``: passed, failed, skipped or notrun; seconds are wall time."""

    digest: str
    language: str
    line: int
    status: str
    seconds: float = 0.0
    #: why it was skipped, or what went wrong
    message: str = ""
    #: line of the document the message is about
    message_line: int = 0
    output: str = ""
    #: statements that \gexec generated and sent
    generated: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """One execution of a document on one server major. ``version`` is the server's, such as 18.6."""

    version: str
    date: str
    text_digest: str
    seconds: float
    cells: tuple[CellRecord, ...]

    @property
    def green(self) -> bool:
        return all(cell.status in ("passed", "skipped") for cell in self.cells)


@dataclass(frozen=True)
class DocumentRecord:
    """All runs of one document; ``runs`` maps the major as text to its last run."""

    document: str
    runs: dict[str, Run] = field(default_factory=dict)


def text_digest(text: str) -> str:
    """16 hex digits of a document's text: a record made for another text is stale."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _file(folder: Path, document: str) -> Path:
    # No two documents share a file: docs/a.b.md is not docs/a/b.md.
    readable = document.removesuffix(".md").replace("%", "%25").replace(".", "%2E").replace("/", ".")
    return folder / f"{readable}.json"


def load(folder: Path, document: str) -> DocumentRecord:
    """The record of ``document`` (path relative to the project), an empty one when there is none."""
    file = _file(folder, document)
    return _read(file) if file.is_file() else DocumentRecord(document)


def load_all(folder: Path) -> dict[str, DocumentRecord]:
    """Every record below ``folder``, by document."""
    found = [_read(file) for file in sorted(folder.glob("*.json"))]
    return {record.document: record for record in found}


def _read(file: Path) -> DocumentRecord:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        runs = {
            major: Run(**{**run, "cells": tuple(CellRecord(**cell) for cell in run["cells"])})
            for major, run in data["runs"].items()
        }
        return DocumentRecord(data["document"], runs)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SetupError(
            "this record cannot be read", path=file, next_step="delete it and run again"
        ) from error


def save(folder: Path, document: str, major: int, run: Run) -> Path:
    """Replace the entry of ``major`` in the record of ``document``; returns its file."""
    file = _file(folder, document)
    files.folder(folder)
    with locked(folder / ".lock"):  # another process may have just run it on another major
        runs = {**load(folder, document).runs, str(major): run}
        data = {"document": document, "runs": {key: asdict(runs[key]) for key in sorted(runs)}}
        return files.write_json(file, data)
