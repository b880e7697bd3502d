"""Evidence that somebody edited: what readers raise, and a look at every file of a project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pgrehearse import sealed
from pgrehearse.errors import DocumentError
from pgrehearse.findings import Finding
from pgrehearse.text.project import Project

__all__ = ["broken", "edited"]


def broken(file: Path, error: Exception, next_step: str) -> DocumentError:
    """The error for evidence that is not as it was measured."""
    how = str(error) if isinstance(error, sealed.Broken) else "cannot be read"
    return DocumentError(f"this evidence {how}", path=file, next_step=next_step)


def edited(project: Project) -> Iterator[Finding]:
    """Every file below ``evidence/`` that is not as it was measured."""
    for file in sorted(project.evidence.rglob("*.json")) if project.evidence.is_dir() else ():
        try:
            sealed.read(file)
        except sealed.Broken as error:
            next_step = "delete it and measure again with --refresh: pgrehearse measure, rehearse or record"
            yield Finding(f"this evidence {error}", file, kind="evidence", next_step=next_step)
