"""``environments.toml`` of a project, and the environment somebody names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.environments.declared import Environment, parse
from pgrehearse.errors import SetupError
from pgrehearse.promotion.gate_table import GATES
from pgrehearse.text import characters
from pgrehearse.text.project import Project

__all__ = ["NAME", "PromotionStep", "load", "step"]

NAME = "environments.toml"


@dataclass(frozen=True)
class PromotionStep:
    """A promotion goes to ``environment``, from the one ``before``; None where it is the first.

    ``position``: of the environment in the file, counted from 0.
    """

    environment: Environment
    before: Environment | None
    position: int
    file: Path


def load(project: Project) -> tuple[Path, list[Environment]]:
    """The project's file and its environments in order. Raises SetupError, DocumentError."""
    file = project.root / NAME
    text = characters.read(file, missing="write one: the reference of promotion shows it")
    gates = [name for name, gate in GATES.items() if not gate.always]
    return file, parse(text, file, gates, [level.word for level in EvidenceLevel])


def step(project: Project, name: str) -> PromotionStep:
    """The way to the environment ``name``. Raises SetupError: there is none."""
    file, found = load(project)
    number = _numbered(found, name, file)
    return PromotionStep(found[number], found[number - 1] if number else None, number, file)


def _numbered(found: Sequence[Environment], name: str, file: Path) -> int:
    names = [one.name for one in found]
    if name not in names:
        raise SetupError(
            f"no environment is called {name!r}", path=file, next_step=f"there are {', '.join(names)}"
        )
    return names.index(name)
