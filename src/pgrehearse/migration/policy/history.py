"""Rule 1: what was applied stays as it was. Asked of a ledger, of git, or of both."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pgrehearse.errors import SetupError
from pgrehearse.findings import Finding
from pgrehearse.migration.policy.register import broken
from pgrehearse.migration.runner.versions import VersionState
from pgrehearse.servers.process_environment import git_environment
from pgrehearse.text import layouts
from pgrehearse.text.migration_files import Migration

__all__ = ["Base", "against_base", "against_ledger", "base"]

_MEND = "put the file back as it was, and write the change as a new migration"


@dataclass(frozen=True)
class Base:
    """The migrations as a commit of git has them.

    Attributes:
        ref: what was asked for, such as ``origin/main``.
        commit: where this branch left it; files there may have been applied.
        blobs: file name -> id of its content, at ``commit``.
        newest: greatest version at ``ref`` itself, which may have moved on; of dbmate's, in order as text.
        highest: the same in order as numbers.
    """

    ref: str
    commit: str
    blobs: dict[str, str]
    newest: str
    highest: str


def base(folder: Path, ref: str) -> Base:
    """The migrations of ``folder`` at ``ref``. Raises SetupError: no git, no such commit, no history."""
    root = folder if folder.is_dir() else folder.parent
    _git(
        root,
        ["rev-parse", "--git-dir"],
        f"git has no repository at {root}",
        "call it inside the repository; or leave --base out, and name a database that knows with --dsn",
    )
    _git(
        root,
        ["rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}"],
        f"git knows no commit {ref!r}",
        "fetch it first, such as git fetch origin main; a CI checkout needs fetch-depth: 0",
    )
    commit = _git(
        root,
        ["merge-base", ref, "HEAD"],
        f"{ref!r} and this branch have no common commit",
        "fetch the whole history; a CI checkout needs fetch-depth: 0",
    ).strip()
    there = [_version(name) for name in _blobs(root, ref)]
    highest = max((layouts.padded(version) for version in there), default="")
    return Base(ref, commit, _blobs(root, commit), max(there, default=""), highest)


def against_base(folder: Path, found: Base, migrations: Sequence[Migration]) -> Iterator[Finding]:
    """Files of the base that are edited, deleted or renamed, and new ones that come too late."""
    now = {migration.label: migration for migration in migrations}
    ids = _ids(folder, sorted(now))
    for name, blob in sorted(found.blobs.items()):
        if name in now and ids[name] != blob:
            before, after = _content(folder, blob), now[name].path.read_bytes()
            if before.replace(b"\r\n", b"\n") == after.replace(b"\r\n", b"\n"):
                continue  # but for line ends, which a checkout may change
            line = _first_difference(before, after)
            said = f"differs from {found.ref}, where it may have been applied"
            yield broken("applied", now[name].path, line, said, _MEND)
        elif name not in now and not (folder / name).exists():
            renamed = next((other for other, own in ids.items() if own == blob), None)
            said = f"renamed to {renamed}" if renamed else "deleted"
            yield broken("applied", folder / name, 0, f"{said}, but {found.ref} has it", _MEND)
    for name, migration in sorted(now.items()):
        newest = found.highest if migration.foreign else found.newest
        if name not in found.blobs and migration.version < newest:
            yield broken(
                "applied",
                migration.path,
                1,
                f"older than {newest}, which {found.ref} has: it would run in another order elsewhere",
                "rename the file: give it a version of today",
            )


def against_ledger(folder: Path, states: Sequence[VersionState]) -> Iterator[Finding]:
    """What a database's ledger says must not be."""
    for state in states:
        if found := state.finding:
            path = found.path or folder / f"{state.version}_*.sql"
            said = found.message.removeprefix(f"{state.label} ")
            yield broken("applied", path, 1 if found.path else 0, said, found.next_step)


def _blobs(folder: Path, commit: str) -> dict[str, str]:
    listed = _git(
        folder, ["ls-tree", "-r", "-z", commit, "./"], "git cannot list the migrations", "run git fsck"
    )
    found = {}
    for entry in listed.split("\0"):
        facts, _, name = entry.partition("\t")
        if layouts.version_of(name) is not None:
            found[name] = facts.split()[2]
    return found


def _ids(folder: Path, names: list[str]) -> dict[str, str]:
    """Ids of the files as they are: what .gitattributes makes of them is part of what the branch changes."""
    if not names:
        return {}
    what = ["hash-object", "--no-filters", "--", *names]
    ids = _git(folder, what, "git cannot read the migrations", "check permissions")
    return dict(zip(names, ids.split(), strict=True))


def _content(folder: Path, blob: str) -> bytes:
    done = subprocess.run(
        ["git", "cat-file", "blob", blob], cwd=folder, env=git_environment(), capture_output=True, check=True
    )
    return done.stdout


def _first_difference(old: bytes, new: bytes) -> int:
    before, after = old.splitlines(), new.splitlines()
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    return max(1, min(same + 1, len(after)))


def _version(name: str) -> str:
    return layouts.version_of(name) or ""


def _git(folder: Path, arguments: list[str], failed: str, next_step: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=git_environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    except FileNotFoundError:
        raise SetupError("no git on PATH", next_step="install git, or leave --base out") from None
    if done.returncode:
        reason = done.stderr.strip().splitlines()
        raise SetupError(f"{failed}{': ' + reason[-1] if reason else ''}", next_step=next_step)
    return done.stdout
