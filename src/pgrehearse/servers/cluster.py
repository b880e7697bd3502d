"""Data directories for servers: where they lie, the installation that serves them, initdb."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pgrehearse.errors import SetupError
from pgrehearse.servers import orphans
from pgrehearse.servers.account import account, as_server, closed, enters, own
from pgrehearse.servers.binaries import Binaries
from pgrehearse.servers.cache import building, subdirectory
from pgrehearse.servers.supervisor import configuration

__all__ = ["MEMORY", "SETTINGS", "enterable", "prepared", "run_dir", "runnable"]

#: What every disposable server runs with. Speed where no crash can matter, defaults where behavior shows.
SETTINGS: Mapping[str, str] = {
    "autovacuum": "off",  # its timing would make locks and plans differ from run to run
    "cluster_name": "pgrehearse",
    "dynamic_shared_memory_type": "mmap",  # in the data directory, so that it goes with that after a crash
    "fsync": "off",
    "full_page_writes": "off",
    "jit": "off",
    "lc_messages": "C",
    "listen_addresses": "",
    "log_timezone": "UTC",
    "max_connections": "60",
    "max_parallel_maintenance_workers": "0",
    "max_prepared_transactions": "5",
    "port": "5432",
    "shared_buffers": "64MB",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "wal_level": "logical",
}
_INITDB = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
#: Another number where `_lighten` leaves something else.
_FORM = 3
_PAGE = 8192  # bytes
_LAST_WAL = 4  # pages: the checkpoint of a clean stop, one record of 114 bytes, lies in the last two
#: A file system in memory, on Linux.
MEMORY = Path("/dev/shm")  # noqa: S108 (mkdtemp makes a private directory in it)
_MEMORY_FREE = 4 << 30  # bytes that must be free there: a server with a million rows stays below
_SOCKET_LIMIT = 103  # bytes a socket's path may have on macOS; Linux allows 107


def _places() -> Iterator[str]:
    """Where servers may live, best first: in memory, unless TMPDIR says where.

    A fresh database per document is a copy of files; in memory it takes a tenth of the time.
    """
    usable = "TMPDIR" not in os.environ and MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
    if usable and shutil.disk_usage(MEMORY).free >= _MEMORY_FREE:
        yield str(MEMORY)
    yield tempfile.gettempdir()
    yield "/tmp"  # noqa: S108 (mkdtemp makes a private directory in it)


def run_dir() -> Path:
    """Make the private directory of one server: its socket, its log and, unless kept, its data."""
    places = tuple(_places())
    orphans.sweep(places)
    for parent in places:
        if _holds_socket(parent) and enters(parent):
            path = Path(tempfile.mkdtemp(prefix="pgr-", dir=parent))
            orphans.claim(path)
            own(path)
            return path
    raise SetupError(
        f"the temporary directory {tempfile.gettempdir()} is too long for a socket, or closed to the server",
        next_step="set TMPDIR to a short path that every user can enter",
    )


def enterable(parent: Path) -> None:
    """Raise SetupError unless a server may live in a folder below ``parent``."""
    if not _holds_socket(str(parent)):
        raise SetupError(f"{parent} is too long a path for a socket", next_step="name a shorter one")
    if not os.access(parent, os.W_OK | os.X_OK) or not enters(str(parent)):
        raise closed(f"{parent} cannot be used")


def runnable(binaries: Binaries) -> Binaries:
    """Return an installation the server's user can run: the given one, or a copy of it in the cache.

    A virtual environment below root's home is the usual reason for a copy. It is made once.

    Raises:
        SetupError: the installation cannot be copied, or the cache is closed to that user too.
    """
    if _runs(binaries.bindir):
        return binaries
    top, parts = _installation(binaries)
    stat = (binaries.bindir / "postgres").stat()
    mark = _hash([str(binaries.bindir), binaries.version, stat.st_size, stat.st_mtime_ns])
    home = subdirectory("installations")
    place = home / f"{binaries.major}-{mark}"
    with building(place) as scratch:
        if scratch is not None:
            fresh = scratch / "copy"
            for part in parts:
                shutil.copytree(top / part, fresh / part, symlinks=True)
            _open_to_all(fresh)
            fresh.rename(place)
    bindir = place / binaries.bindir.relative_to(top)
    if not _runs(bindir):
        raise closed(f"{bindir} cannot be run")
    return replace(binaries, bindir=bindir)


def prepared(binaries: Binaries) -> Path:
    """Return an initialized data directory to copy from; ``initdb`` runs only the first time.

    Raises:
        SetupError: ``initdb`` failed, or the cache is closed to the server's user.
    """
    who = account()
    key = _hash([_INITDB, _FORM, dict(SETTINGS), binaries.source, who.uid if who else os.getuid()])
    home = subdirectory("clusters")
    if not enters(str(home)):
        raise closed(f"{home} cannot be entered")
    place = home / f"{binaries.version.split()[0]}-{key}"
    with building(place) as scratch:
        if scratch is not None:
            _initialize(binaries, scratch).rename(place)
    return place


def _initialize(binaries: Binaries, scratch: Path) -> Path:
    own(scratch)
    data = scratch / "data"
    done = as_server([str(binaries.bindir / "initdb"), "-D", str(data), *_INITDB])
    if done.returncode != 0:
        by_hand = f"run {binaries.bindir / 'initdb'} by hand, or choose another: PGREHEARSE_BINDIR"
        no_room = "make room there, or name another place in PGREHEARSE_CACHE"
        raise SetupError(
            f"initdb of PostgreSQL {binaries.version} ({binaries.source}) failed: {done.stderr.strip()}",
            next_step=no_room if "No space left" in done.stderr else by_hand,
        )
    with (data / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.write(configuration(SETTINGS))
    _lighten(data)
    return data


def _lighten(data: Path) -> None:
    """Leave out what a copy of this stopped cluster, or of a database in it, does without.

    The maps of free and of visible pages, a quarter of the files: the server makes them when it wants them.
    Of the WAL a start after a clean stop reads the segment's first page, which says whose it is, and the last
    checkpoint. The rest, 7 MB of initdb's own work, becomes a hole, which is not copied.
    """
    for fork in ("_fsm", "_vm"):
        for found in [*data.glob(f"base/*/*{fork}"), *data.glob(f"global/*{fork}")]:
            found.unlink()
    for segment in data.glob("pg_wal/" + "[0-9A-F]" * 24):
        text = segment.read_bytes()
        used = [start for start in range(0, len(text), _PAGE) if any(text[start : start + _PAGE])]
        with segment.open("r+b") as file:
            file.truncate(0)
            for start in [*used[:1], *used[1:][-_LAST_WAL:]]:
                file.seek(start)
                file.write(text[start : start + _PAGE])
            file.truncate(len(text))


def _installation(binaries: Binaries) -> tuple[Path, list[str]]:
    """The directory to copy from and what in it belongs to this installation."""
    prefix = binaries.bindir.parent
    if prefix.name == "pginstall":
        # The wheel: its libraries lie beside the package, found relative to the programs.
        site = prefix.parent.parent
        names = [prefix.parent.name, f"{prefix.parent.name}.libs"]
        return site, [name for name in names if (site / name).is_dir()]
    if (prefix / "share").is_dir() and prefix not in (Path("/"), Path("/usr"), Path("/usr/local")):
        return prefix, [name for name in ("bin", "lib", "lib64", "share") if (prefix / name).is_dir()]
    raise closed(f"{binaries.bindir} cannot be run")


def _open_to_all(top: Path) -> None:
    for path in [top, *top.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _holds_socket(parent: str) -> bool:
    return len(os.fsencode(parent)) + len("/pgr-12345678/.s.PGSQL.5432") <= _SOCKET_LIMIT


def _runs(bindir: Path) -> bool:
    try:
        return as_server([str(bindir / "postgres"), "--version"]).returncode == 0
    except OSError:
        return False


def _hash(what: object) -> str:
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]
