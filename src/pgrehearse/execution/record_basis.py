"""What a run of a document depends on besides its text: a record made with other surroundings is stale."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from shutil import which

from pgrehearse.text.document import Document
from pgrehearse.text.project import Project
from pgrehearse.text.snippets import Snippets

__all__ = ["surroundings"]


def surroundings(project: Project, document: Document) -> str:
    """16 hex digits of migrations, seed, the project's settings, snippets of the document, and our version.

    A document with bash cells depends on everything their folder holds a copy of.
    """
    digest = hashlib.sha256()
    for name, content in _parts(project, document):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _parts(project: Project, document: Document) -> Iterator[tuple[str, bytes]]:
    yield "pgrehearse", version("pgrehearse").encode()
    yield "settings", json.dumps(project.settings, sort_keys=True, default=str).encode()
    if not document.front.database.empty or document.front.bash:
        for path in [*sorted(project.migrations.glob("*.sql")), project.seed]:
            yield from _file(project, path)
    if document.front.bash:
        folders = {path.parent for path in (project.migrations, project.seed)} - {project.root}
        inside = [folder for folder in folders if folder.is_relative_to(project.root)]
        for path in sorted({path for folder in inside for path in folder.rglob("*")}):
            yield from _file(project, path)
        yield from _file(project, project.changes)
    for name in document.front.programs:
        yield f"program {name}", b"here" if which(name) else b"missing"
    snippets = Snippets(project.snippets)
    for language, name in sorted({(c.language, c.options.snippet or "") for c in document.cells}):
        if name:
            yield f"snippet {language} {name}", snippets.text(language, name).encode()


def _file(project: Project, path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_file():
        yield project.relative(path), path.read_bytes()
