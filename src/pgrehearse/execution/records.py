"""Records of runs: what each cell of a document did, per server major. The site reads these, never a server.

One JSON file a document below ``.pgrehearse/records/``, sealed. A run on one major replaces the entry of that
major only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pgrehearse import files, sealed
from pgrehearse.errors import SetupError
from pgrehearse.servers.cache import locked

__all__ = ["CellRecord", "DocumentRecord", "Run", "forget", "load", "load_all", "save", "text_digest"]


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
    #: what it sent, in order; of a query for \gexec, what it generated
    sent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """One execution of a document on one server major. ``version`` is the server's, such as 18.6."""

    version: str
    date: str
    text_digest: str
    seconds: float
    cells: tuple[CellRecord, ...]
    #: digest of what else the run depended on; see `pgrehearse.execution.record_basis`
    surroundings: str = ""

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
    record = _read(file) if file.is_file() else DocumentRecord(document)
    if record.document != document:
        raise _broken(file, f"is of {record.document}")
    return record


def load_all(folder: Path) -> dict[str, DocumentRecord]:
    """Every record below ``folder``, by document."""
    found = [_read(file) for file in sorted(folder.glob("*.json"))]
    return {record.document: record for record in found}


def _read(file: Path) -> DocumentRecord:
    try:
        data = sealed.read(file)
        runs = {
            major: Run(**{**run, "cells": tuple(map(_cell, run["cells"]))})
            for major, run in data["runs"].items()
        }
        return DocumentRecord(data["document"], runs)
    except sealed.Broken as error:
        raise _broken(file, str(error)) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise _broken(file, "cannot be read") from error


def _cell(entry: Mapping[str, Any]) -> CellRecord:
    return CellRecord(**{**entry, "sent": tuple(entry["sent"])})


def _broken(file: Path, how: str) -> SetupError:
    return SetupError(f"this record {how}", path=file, next_step="delete it and run again")


def save(folder: Path, document: str, major: int, run: Run) -> Path:
    """Replace the entry of ``major`` in the record of ``document``; returns its file."""
    file = _file(folder, document)
    files.folder(folder)
    with locked(folder / ".lock"):  # another process may have just run it on another major
        return _write(file, document, {**_known(file), str(major): run})


def forget(folder: Path, document: str, major: int) -> None:
    """Remove the entry of ``major``: what is run again has no proof until that run has ended."""
    file = _file(folder, document)
    if file.is_file():
        with locked(folder / ".lock"):
            known = _known(file)
            if known.pop(str(major), None) is not None:
                _write(file, document, known)


def _known(file: Path) -> dict[str, Run]:
    """The runs in the file; none where it is no record any more, and is to be written anew."""
    try:
        return dict(_read(file).runs) if file.is_file() else {}
    except SetupError:
        return {}


def _write(file: Path, document: str, runs: Mapping[str, Run]) -> Path:
    data = {"document": document, "runs": {key: asdict(runs[key]) for key in sorted(runs)}}
    return sealed.write(file, data)
