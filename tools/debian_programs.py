"""Unpack programs of several Debian suites beside the system: nothing is installed.

    tools/debian_programs.py                        # all of PROGRAMS
    tools/debian_programs.py pgbouncer-1.18 ...     # some
    tools/debian_programs.py --newest postgresql-19 # again where the index has a newer version

A program lands in the cache of pgrehearse, with its suite's own shared libraries and loader, so a machine
with Debian 12 runs what sid built. `debian/bin` there holds one starter each, such as `pgbouncer-1.18`.
A PostgreSQL server lands with its clients in `debian/postgresql-19`, where `pgrehearse --pg 19` looks for it.
What is there stays, unless ``--newest`` finds a newer version. The mirror is the one that this machine's own
apt sources name. Needs apt-get and dpkg-deb, no root. Exit status 69: some program could not be had; 1, with
``--newest``: a server is released of which evidence/ knows a preview only.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from pgrehearse.errors import PgRehearseError, SetupError
from pgrehearse.majors import PREVIEW, outlived
from pgrehearse.servers.cache import building, locked, subdirectory

__all__ = ["PROGRAMS", "Program", "unpack"]

#: Libraries without these, which hold no shared object.
_NO_LIBRARY = ("perl", "data", "common", "bin", "doc", "dev")
_APT_LIMIT = 600  # seconds for one call: the lists of a suite are 10 MB


@dataclass(frozen=True)
class Program:
    """A package of a suite, in ``least`` (as in 1.18) or a later version; unstable moves on.

    ``binary``: the program of it that is wanted, where that has another name than the package. ``folder``:
    all programs of this folder are wanted, each started in its place. ``more``: packages that belong to it.
    """

    package: str
    suite: str
    least: str
    binary: str = ""
    folder: str = ""
    more: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.binary or self.package}-{self.least}"


PROGRAMS = (
    Program("pgbouncer", "bookworm", "1.18"),
    Program("pgbouncer", "trixie", "1.24"),
    Program("pgbouncer", "sid", "1.26"),
    Program("pgbackrest", "bookworm", "2.45"),
    Program("pgbackrest", "sid", "2.60"),
    Program("rsync", "bookworm", "3.2"),  # Barman restores with it
    Program("prometheus", "bookworm", "2.42", binary="promtool"),
    Program(
        "postgresql-19",
        "experimental",
        "19",
        binary="postgresql",
        folder="usr/lib/postgresql/19/bin",
        more=("postgresql-client-19",),
    ),
)


def unpack(programs: Iterable[Program], *, newest: bool = False) -> list[Path]:
    """Unpack what is not there yet; the starters of all of them. Raises SetupError.

    ``newest``: what is there in an older version than the index has is unpacked anew.
    """
    base = subdirectory("debian")
    starters = []
    for suite, some in groupby(sorted(programs, key=lambda each: each.suite), lambda each: each.suite):
        wanted = list(some)
        if newest or any(not (base / str(each)).exists() for each in wanted):
            with tempfile.TemporaryDirectory(prefix=".apt-", dir=base) as state:
                apt = _Apt(Path(state), suite)
                for program in wanted:
                    if newest:
                        _remove_older(base / str(program), apt.version(program.package))
                    _make(program, base, apt)
        for each in wanted:
            starters += _start_all(base, each) if each.folder else [_start(base, each)]
        if _PLAIN in wanted:
            plain = base / "path" / _PLAIN.package
            plain.parent.mkdir(mode=0o755, exist_ok=True)
            if not plain.is_symlink():
                plain.symlink_to(Path("..", "bin", str(_PLAIN)))
    return starters


#: What `pgbouncer` alone means in `debian/path`, which the Makefile puts on PATH for the pages.
_PLAIN = Program("pgbouncer", "trixie", "1.24")


def _make(program: Program, base: Path, apt: _Apt) -> None:
    """Fill the folder of a program, whole or not at all."""
    place = base / str(program)
    with building(place) as scratch:
        if scratch is None:
            return
        tree, debs = scratch / "tree", scratch / "debs"
        tree.mkdir(mode=0o755)
        debs.mkdir()
        packages = [program.package, *program.more]
        apt.download([*packages, *apt.libraries(packages)], debs)
        version = _version(debs, program)
        for deb in sorted(debs.glob("*.deb")):
            _run(["dpkg-deb", "-x", str(deb), str(tree)])
        (tree / "VERSION").write_text(f"{program.package} {version} ({program.suite})\n", encoding="utf-8")
        _run(["chmod", "-R", "a+rX", str(tree)])  # servers and poolers run as another user
        if program.folder:
            _set_aside(tree / program.folder)
        tree.rename(place)


def _remove_older(place: Path, version: str) -> None:
    """Remove a program that is older than ``version``. Servers that run of it keep the files they opened."""
    with locked(place.with_name(f"{place.name}.lock")):
        if place.exists() and _compared(version, "gt", _unpacked(place)):
            with tempfile.TemporaryDirectory(prefix=".old-", dir=place.parent) as scratch:
                place.rename(Path(scratch, place.name))


def _unpacked(place: Path) -> str:
    """The package version that was unpacked."""
    return (place / "VERSION").read_text("utf-8").split()[1]


def _compared(version: str, how: str, other: str) -> bool:
    """``dpkg --compare-versions``: 19~rc1 is before 19."""
    return subprocess.run(["dpkg", "--compare-versions", version, how, other], check=False).returncode == 0


def released(programs: Iterable[Program]) -> Iterator[str]:
    """Of servers that were unpacked: which are released, while evidence/ is of a preview."""
    servers = {f"postgresql-{major}": label for major, label in PREVIEW.items()}
    for program in programs:
        if program.package in servers:
            version = _unpacked(subdirectory("debian") / str(program))
            upstream = version.partition(":")[2] or version
            number = upstream.rpartition("-")[0].replace("~", "")
            yield from outlived(servers[program.package], number)


def _version(debs: Path, program: Program) -> str:
    deb = next(debs.glob(f"{program.package}_*.deb"))
    version = _run(["dpkg-deb", "-f", str(deb), "Version"]).strip()
    if not _compared(version, "ge", f"{program.least}~"):
        raise SetupError(
            f"{program.suite} has {program.package} {version}, older than {program.least}",
            next_step="name a newer suite in PROGRAMS of tools/debian_programs.py",
        )
    return version


def _set_aside(folder: Path) -> None:
    """Move the programs of ``folder`` away, so that their starters can take their places and names."""
    aside = folder.with_name("elf")
    aside.mkdir(mode=0o755)
    for path in list(folder.iterdir()):
        if path.is_file() and not path.is_symlink() and path.read_bytes()[:4] == b"\x7fELF":
            path.rename(aside / path.name)


def _start_all(base: Path, program: Program) -> list[Path]:
    """Write the starters of all programs of a folder; the folder. It finds its shared files as installed."""
    folder = base / str(program) / program.folder
    for binary in sorted(folder.with_name("elf").iterdir()):
        _starter(base / str(program), folder / binary.name, binary)
    return [folder]


def _start(base: Path, program: Program) -> Path:
    """Write the starter of a program, which has a name of its own among the others."""
    tree = base / str(program)
    name = program.binary or program.package
    binaries = [tree / folder / name for folder in ("usr/bin", "usr/sbin")]
    binary = next((path for path in binaries if path.is_file()), tree / name)
    starter = base / "bin" / str(program)
    starter.parent.mkdir(mode=0o755, exist_ok=True)
    return _starter(tree, starter, binary)


def _starter(tree: Path, starter: Path, binary: Path) -> Path:
    """Write the starter: the program under its suite's loader, with its own name and process id."""
    folders = [*tree.glob("lib/*-linux-*"), *tree.glob("usr/lib/*-linux-*")]
    loaders = [path for folder in folders for path in folder.glob("ld-linux*.so.*")]
    if not binary.is_file() or not loaders:
        raise SetupError(f"{tree} holds no {binary.name}", next_step=f"remove {tree} and try again")
    libraries = ":".join(map(str, folders))
    words = [str(loaders[0]), "--argv0", str(starter), "--library-path", libraries, str(binary)]
    text = f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n'
    if not starter.exists() or starter.read_text("utf-8") != text:
        new = starter.with_name(f".{starter.name}.{os.getpid()}")
        new.write_text(text, encoding="utf-8")
        new.chmod(0o755)
        new.replace(starter)
    return starter


class _Apt:
    """apt with lists, state and cache of its own, for one suite. Raises SetupError."""

    def __init__(self, state: Path, suite: str) -> None:
        self.suite = suite
        for folder in ("lists/partial", "cache/archives/partial"):
            (state / folder).mkdir(parents=True)
        (state / "status").touch()
        # Experimental holds only what sid does not; of the two the newer version is taken.
        suites = ("sid", suite) if suite == "experimental" else (suite,)
        mirror = _mirror()
        (state / "sources").write_text("".join(f"deb {mirror} {each} main\n" for each in suites), "utf-8")
        pin = f"Package: *\nPin: release a={suite}\nPin-Priority: 500\n"
        (state / "preferences").write_text(pin, encoding="utf-8")
        settings = {
            "Dir::Etc::sourcelist": state / "sources",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": state / "preferences",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::State::Lists": state / "lists",
            "Dir::State::status": state / "status",
            "Dir::Cache": state / "cache",
            "APT::Sandbox::User": "root",  # the sandbox's user may not enter the cache
            "Acquire::Languages": "none",
            "Acquire::Retries": 3,
        }
        self.options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
        _run(["apt-get", "-qq", *self.options, "update"], what=f"the package lists of {suite}")

    def version(self, package: str) -> str:
        """The version that would be downloaded."""
        what = f"{package} of {self.suite}"
        shown = _run(["apt-cache", *self.options, "show", "--no-all-versions", package], what)
        return next(line.split()[1] for line in shown.splitlines() if line.startswith("Version: "))

    def libraries(self, packages: Sequence[str]) -> list[str]:
        """The packages with shared libraries that ``packages`` need, the C library among them."""
        kinds = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
        limits = [f"--no-{kind}" for kind in kinds]
        lines = _run(["apt-cache", *self.options, "depends", "--recurse", *limits, *packages]).splitlines()
        # A package stands at the margin, a virtual one in angle brackets; another architecture has a colon.
        names = {line for line in lines if line.startswith(("lib", "zlib")) and ":" not in line}
        return sorted(n for n in names if not n.endswith(_NO_LIBRARY) and not n.startswith("libjs-"))

    def download(self, packages: Sequence[str], into: Path) -> None:
        _run(
            ["apt-get", "-qq", *self.options, "download", *packages],
            what=f"{packages[0]} of {self.suite}",
            cwd=into,
        )


def _mirror() -> str:
    """The Debian mirror that most of this machine's sources name, security updates aside."""
    form = "$(SITE) $(RELEASE) $(COMPONENT)"
    lines = _run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"]).splitlines()
    sites = Counter(site for site, release, component in map(str.split, lines) if _is_debian(site, component))
    if not sites:
        raise SetupError(
            "the apt sources of this machine name no Debian mirror",
            next_step="run this on Debian, or install the programs yourself",
        )
    return sites.most_common(1)[0][0]


def _is_debian(site: str, component: str) -> bool:
    return component == "main" and site.rstrip("/").endswith("/debian")


def _run(command: Sequence[str], what: str = "", cwd: Path | None = None) -> str:
    """What a command prints. Raises SetupError."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=cwd, timeout=_APT_LIMIT, check=False
        )
    except FileNotFoundError:
        raise SetupError(
            f"this machine has no {command[0]}",
            next_step="run this on Debian, or install the programs yourself",
        ) from None
    except subprocess.TimeoutExpired:
        raise SetupError(
            f"{command[0]} did not end within {_APT_LIMIT} s", next_step="look at the network, and try again"
        ) from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise SetupError(
            f"{command[0]} could not get {what}: {said}" if what else f"{shlex.join(command)}: {said}",
            next_step="apt-get update as root shows more; then try again",
        )
    return done.stdout


def main(words: Sequence[str]) -> int:
    """Unpack what is named, and print the starters."""
    known = {str(each) for each in PROGRAMS}
    newest = "--newest" in words
    chosen = set(words) - {"--newest"} or known
    if chosen - known:
        said = f"error: not among the programs: {', '.join(sorted(chosen - known))}"
        print(f"{said}\n  next: name some of {', '.join(sorted(known))}", file=sys.stderr)
        return 64
    status = 0
    for suite in sorted({each.suite for each in PROGRAMS}):
        try:
            wanted = [each for each in PROGRAMS if each.suite == suite and str(each) in chosen]
            for starter in unpack(wanted, newest=newest):
                print(starter)
            for line in released(wanted) if newest else ():
                step = "end its line of PREVIEW in majors.py, then make evidence"
                print(f"error: evidence/: {line}\n  next: {step}", file=sys.stderr)
                status = 1
        except PgRehearseError as error:
            print(f"error: {error}", file=sys.stderr)
            status = error.exit_code
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
