"""What a person types, found: a file or the name of a runbook, and the project it belongs to."""

from __future__ import annotations

import difflib
from pathlib import Path

from pgrehearse.errors import DocumentError
from pgrehearse.text.project import Project

__all__ = ["find", "project_of"]


def find(project: Project, word: str) -> Path:
    """The file ``word``, or the runbook of that name. Raises DocumentError with the nearest name."""
    path = Path(word)
    if path.is_file():
        return path
    name = word.removesuffix(".md")
    named = project.runbooks / f"{name}.md"
    if named.is_file():
        return named
    names = sorted(file.stem for file in project.runbooks.glob("*.md"))
    near = difflib.get_close_matches(path.name.removesuffix(".md"), names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names) or 'none'}"
    raise DocumentError(f"no runbook {word!r}", path=project.runbooks, next_step=hint)


def project_of(path: Path | None) -> Project:
    """The project of ``path``; where no pyproject.toml says which, the folder one stands in."""
    here = Path.cwd()
    if path is None or not path.exists():
        return Project.find(here)
    found = Project.find(path)
    inside = path.resolve().is_relative_to(here)
    return Project.at(here) if inside and not (found.root / "pyproject.toml").is_file() else found
