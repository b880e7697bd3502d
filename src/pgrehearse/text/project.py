"""Where a project keeps its documents: the table ``[tool.pgrehearse]`` of its pyproject.toml.

Everything has a default, so a repository with nothing but a ``docs/`` folder needs no table at all.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pgrehearse.errors import DocumentError, SetupError
from pgrehearse.findings import Severity
from pgrehearse.text import characters

__all__ = ["Project"]

_DOCUMENTS = ("docs", "runbooks")
_FOLDERS = {
    "migrations": "db/migrations",
    "seed": "db/seed.sql",
    "snippets": "snippets",
    "runbooks": "runbooks",
    "changes": "docs/changes.md",
}


@dataclass(frozen=True)
class Project:
    """Folders of one project; all paths are absolute, and may not exist."""

    root: Path
    documents: tuple[Path, ...]
    migrations: Path
    seed: Path
    snippets: Path
    runbooks: Path
    changes: Path
    #: check of the policy -> why this project does without it: the table [tool.pgrehearse.policy-off]
    policy_off: Mapping[str, str] = field(default_factory=dict, hash=False)
    #: pattern of drift -> why nobody wants to hear of it: the table [tool.pgrehearse.drift-ignore]
    drift_ignore: Mapping[str, str] = field(default_factory=dict, hash=False)
    #: what another tool puts for ``${name}`` in migrations: the table [tool.pgrehearse.placeholders]
    placeholders: Mapping[str, str] = field(default_factory=dict, hash=False)
    #: findings of the policy from this severity on fail `db lint` and pytest
    policy_fails_on: Severity = Severity.HAZARD
    #: the table [tool.pgrehearse] as it was read
    settings: Mapping[str, object] = field(default_factory=dict, hash=False)

    @classmethod
    def find(cls, start: Path) -> Project:
        """The project ``start`` lies in: the nearest folder upward with a pyproject.toml, else ``start``."""
        start = start.resolve()
        folder = start if start.is_dir() else start.parent
        root = next((p for p in (folder, *folder.parents) if (p / "pyproject.toml").is_file()), folder)
        return cls.at(root)

    @classmethod
    def at(cls, root: Path) -> Project:
        """The project whose folder is ``root``. Raises SetupError for a table that cannot be read."""
        table = _table(root / "pyproject.toml")
        known = {"documents", "drift-ignore", "policy-off", "placeholders", "policy-fails-on", *_FOLDERS}
        unknown = set(table) - known
        if unknown:
            raise SetupError(
                f"[tool.pgrehearse] has an unknown key {sorted(unknown)[0]!r}",
                path=root / "pyproject.toml",
                next_step="known: " + ", ".join(sorted(known)),
            )
        documents = table.get("documents", _DOCUMENTS)
        if not isinstance(documents, (list, tuple)):
            raise SetupError(
                "[tool.pgrehearse] documents is not a list",
                path=root / "pyproject.toml",
                next_step='write documents = ["docs"]',
            )
        for key in _FOLDERS:
            if not isinstance(table.get(key, ""), str):
                raise SetupError(
                    f"[tool.pgrehearse] {key} is not text",
                    path=root / "pyproject.toml",
                    next_step=f'write {key} = "{_FOLDERS[key]}"',
                )
        folders = {key: root / str(table.get(key, default)) for key, default in _FOLDERS.items()}
        off = _reasons(root, table, "policy-off", 'write check = "why this project does without it"')
        ignored = _reasons(root, table, "drift-ignore", 'write "pattern" = "why this is no drift to you"')
        fails_on = table.get("policy-fails-on", "hazard")
        if fails_on not in list(Severity):
            raise SetupError(
                f"[tool.pgrehearse] policy-fails-on is no severity: {fails_on!r}",
                path=root / "pyproject.toml",
                next_step=f"known: {', '.join(Severity)}",
            )
        names = tuple(root / str(name) for name in documents)
        return cls(
            root=root,
            documents=names,
            policy_off=off,
            drift_ignore=ignored,
            placeholders=_texts(root, table, "placeholders"),
            policy_fails_on=Severity(str(fails_on)),
            settings=table,
            **folders,
        )

    @property
    def evidence(self) -> Path:
        """Where measured facts are committed."""
        return self.root / "evidence"

    @property
    def records(self) -> Path:
        """Where runs leave their records; never committed."""
        return self.root / ".pgrehearse"

    def relative(self, path: Path) -> str:
        """``path`` as readers know it: relative to the project where it lies inside."""
        absolute = path.resolve()
        inside = absolute.is_relative_to(self.root)
        return absolute.relative_to(self.root).as_posix() if inside else absolute.as_posix()

    def markdown(self, paths: tuple[Path, ...] = ()) -> Iterator[Path]:
        """Markdown files below ``paths`` (default: the project's documents), sorted. Raises DocumentError."""
        for start in paths or tuple(p for p in self.documents if p.exists()):
            if start.is_file():
                yield start
            elif start.is_dir():
                yield from sorted(p for p in start.rglob("*.md") if not _hidden(p.relative_to(start)))
            else:
                raise DocumentError("no such file or folder", path=start, next_step="check the spelling")


def _reasons(root: Path, table: Mapping[str, object], key: str, next_step: str) -> dict[str, str]:
    """A table of reasons. Raises SetupError for anything else."""
    found = table.get(key, {})
    if not isinstance(found, dict) or not all(isinstance(why, str) and why.strip() for why in found.values()):
        raise SetupError(
            f"[tool.pgrehearse.{key}] is not a table of reasons",
            path=root / "pyproject.toml",
            next_step=next_step,
        )
    return dict(found)


def _texts(root: Path, table: Mapping[str, object], key: str) -> dict[str, str]:
    """A table of texts. Raises SetupError for anything else."""
    found = table.get(key, {})
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise SetupError(
            f"[tool.pgrehearse.{key}] is not a table of texts",
            path=root / "pyproject.toml",
            next_step='write name = "value"',
        )
    return dict(found)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _table(file: Path) -> dict[str, object]:
    if not file.is_file():
        return {}
    try:
        tool = tomllib.loads(characters.read(file)).get("tool", {})
    except tomllib.TOMLDecodeError as error:
        raise SetupError(f"not TOML: {error}", path=file, next_step="mend the file") from error
    table = tool.get("pgrehearse", {}) if isinstance(tool, dict) else None
    if not isinstance(table, dict):
        raise SetupError("[tool.pgrehearse] is not a table", path=file, next_step="write key = value lines")
    return table
