"""Projects in folders: files written, documents put together, commits made."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from pgrehearse.servers.process_environment import git_environment
from pgrehearse.text.document import Document, load
from pgrehearse.text.project import Project

__all__ = ["HEAD", "commit", "fence", "git", "project_at", "write", "write_document"]

#: The front matter that a document with cells has at least.
HEAD = "---\njupyter:\n  jupytext: {main_language: python}\n---\n"


def write(root: Path, name: str, text: str) -> Path:
    """Write the file ``name`` below ``root``, with the folders it needs."""
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def project_at(root: Path, files: Mapping[str, str] | None = None) -> Project:
    """A project below ``root`` with these files; its ``pyproject.toml`` is empty unless given."""
    (root / "db" / "migrations").mkdir(parents=True, exist_ok=True)
    for name, text in {"pyproject.toml": "", **(files or {})}.items():
        write(root, name, text)
    return Project.at(root)


def fence(source: str, options: str = "", expected: str | None = None, *, language: str = "sql") -> str:
    """A cell as it stands in a document, with its expected output if it has one."""
    opening = f"```{language} {options}".rstrip()
    after = "" if expected is None else f"```text\n{expected}\n```\n"
    return f"{opening}\n{source}\n```\n{after}"


def write_document(project: Project, name: str, *fences: str, head: str = HEAD) -> Document:
    """Write the document ``docs/NAME`` and read it."""
    return load(write(project.root, f"docs/{name}", head + "\n" + "\n".join(fences)))


def git(folder: Path, *arguments: str) -> str:
    """Run git in ``folder`` under a made-up identity; what it printed."""
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, env=git_environment(), check=True, capture_output=True, text=True).stdout


def commit(folder: Path, message: str = "a release") -> str:
    """Commit all of ``folder``, a repository from now on; the commit's hash."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)
    return git(folder, "rev-parse", "HEAD").strip()
