"""The migrations and the seed of an earlier commit, taken from git."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pgrehearse.errors import SetupError
from pgrehearse.servers.process_environment import git_environment
from pgrehearse.text import migration_files
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.project import Project

__all__ = ["Release", "release"]


@dataclass(frozen=True)
class Release:
    """What ``ref`` had. ``seed`` is None where it had none."""

    ref: str
    migrations: tuple[Migration, ...]
    seed: Path | None


def release(project: Project, ref: str, folder: Path) -> Release:
    """Write what ``ref`` had into the empty ``folder`` and read it.

    Raises SetupError: no git, no repository, no such commit. A shallow clone may lack it.
    """
    known = _git(project, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    if known is None:
        raise SetupError(
            f"--base: there is no commit {ref!r} here",
            next_step="name a branch, tag or commit; in CI fetch it first (fetch-depth: 0)",
        )
    commit = known.decode().strip()
    where = project.relative(project.migrations)
    listed = _git(project, "ls-tree", "-z", "--name-only", commit, f"{where}/") or b""
    (folder / "migrations").mkdir()
    for name in filter(None, listed.decode().split("\0")):
        text = _git(project, "show", f"{commit}:./{name}")
        if name.endswith(".sql") and text is not None:
            (folder / "migrations" / Path(name).name).write_bytes(text)
    seed = _git(project, "show", f"{commit}:./{project.relative(project.seed)}")
    if seed is not None:
        (folder / "seed.sql").write_bytes(seed)
    return Release(
        ref,
        tuple(migration_files.load(folder / "migrations")),
        folder / "seed.sql" if seed is not None else None,
    )


def _git(project: Project, *arguments: str) -> bytes | None:
    """What git prints; None when it fails."""
    git = shutil.which("git")
    if git is None:
        raise SetupError("git is not installed", next_step="install it, or leave out --base")
    done = subprocess.run(
        [git, "-C", str(project.root), *arguments],
        env=git_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.stdout if done.returncode == 0 else None
