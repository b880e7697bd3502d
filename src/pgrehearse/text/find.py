"""A document by what a person types: a file, or the name of a runbook."""

from __future__ import annotations

import difflib
from pathlib import Path

from pgrehearse.errors import DocumentError
from pgrehearse.text.project import Project

__all__ = ["find"]


def find(project: Project, word: str) -> Path:
    """The file ``word``, or the runbook of that name. Raises DocumentError with the nearest name."""
    path = Path(word)
    if path.is_file():
        return path
    named = path if path.suffix else project.runbooks / f"{word}.md"
    if named.is_file():
        return named
    names = sorted(file.stem for file in project.runbooks.glob("*.md"))
    near = difflib.get_close_matches(named.stem, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names) or 'none'}"
    raise DocumentError(f"no runbook {word!r}", path=project.runbooks, next_step=hint)
