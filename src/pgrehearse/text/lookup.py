"""What a person types, found: a file or the name of a runbook, and the project it belongs to."""

from __future__ import annotations

import difflib
from pathlib import Path

from pgrehearse.errors import DocumentError
from pgrehearse.text.handbook import RUNBOOKS
from pgrehearse.text.project import Project

__all__ = ["find", "project_of", "runbooks"]


def find(project: Project, word: str, *, own: bool = False) -> Path:
    """The file ``word``, or the runbook of that name: the project's, else the one of the package.

    ``own``: the project's only. Raises DocumentError with the nearest name.
    """
    path = Path(word)
    if path.is_file():
        return path
    known = runbooks(project, own=own)
    name = word.removesuffix(".md")
    if name in known:
        return known[name]
    names = list(known)
    near = difflib.get_close_matches(path.name.removesuffix(".md"), names, n=1)
    others = f"known: {', '.join(names) or 'none'}" if own else "pgrehearse list names those there are"
    hint = f"did you mean {near[0]!r}?" if near else others
    raise DocumentError(f"no runbook {word!r}", path=project.runbooks, next_step=hint)


def runbooks(project: Project, *, own: bool = False) -> dict[str, Path]:
    """The runbooks there are, by name: the project's, and those of the package that it has none for."""
    folders = [project.runbooks] if own else [RUNBOOKS, project.runbooks]
    found = {file.stem: file for folder in folders for file in folder.glob("*.md")}
    return dict(sorted(found.items()))


def project_of(path: Path | None) -> Project:
    """The project of ``path``; where no pyproject.toml says which, the folder one stands in."""
    here = Path.cwd()
    if path is None or not path.exists():
        return Project.find(here)
    found = Project.find(path)
    inside = path.resolve().is_relative_to(here)
    return Project.at(here) if inside and not (found.root / "pyproject.toml").is_file() else found
