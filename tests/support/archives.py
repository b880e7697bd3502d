"""A database that pgBackRest or Barman backs up, and what is proven of copies of their repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pgrehearse import servers
from pgrehearse.backup import original as originals
from pgrehearse.backup import verify
from pgrehearse.backup.adapter import Adapter, WorkOptions
from pgrehearse.backup.original import Original
from pgrehearse.backup.proof import Proof
from pgrehearse.backup.receipt import Receipt
from pgrehearse.environments.target import open_target
from pgrehearse.servers import Server, cluster
from pgrehearse.servers.account import identity, own
from support.databases import execute, mark
from support.waiting import wait_until

__all__ = [
    "Archive",
    "archiving",
    "as_server",
    "changed",
    "flip",
    "hard_linked",
    "largest",
    "look",
    "proven",
    "shop_on",
    "working",
]


@dataclass
class Archive:
    """A server with a database called shop, which archives.

    Attributes:
        folder: of the account that servers run as; everything of the backup program lies in it.
    """

    server: Server
    dsn: str
    folder: Path

    def look(self, **other: Any) -> Original:
        return look(self.dsn, **other)

    def switch(self) -> str:
        """Close the WAL file, and return its name when it is archived."""
        ((name,),) = execute(self.dsn, "SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
        execute(self.dsn, "SELECT pg_switch_wal()")
        last = "SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver"
        wait_until(lambda: execute(self.dsn, last)[0][0] >= name, f"{name} is archived")
        return str(name)


@contextmanager
def closing_folder(folder: Path) -> Iterator[None]:
    """Remove it at the end."""
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def archiving(major: int, archive_command: str) -> Iterator[Archive]:
    """Start one. ``archive_command``: may hold ``{folder}``."""
    folder = cluster.run_dir()
    settings = {
        "archive_mode": "on",
        "archive_command": archive_command.format(folder=folder),
        "full_page_writes": "on",
    }
    with closing_folder(folder), servers.start(major, settings=settings) as server:
        yield Archive(server, shop_on(server), folder)


def shop_on(server: Server) -> str:
    """Make the database shop, marked production, with 3000 orders; how to connect to it."""
    execute(server.dsn(), "CREATE DATABASE shop")
    dsn = server.dsn("shop")
    execute(dsn, "CREATE TABLE orders (id int PRIMARY KEY, note text)")
    execute(dsn, "INSERT INTO orders SELECT n, md5(n::text) FROM generate_series(1, 3000) AS n")
    execute(dsn, "ANALYZE orders")
    mark(dsn, "production")
    return dsn


def look(dsn: str, **other: Any) -> Original:
    """A database as it is now, but for ``other``."""
    return replace(originals.look(open_target(dsn)), **other)


def as_server(words: Sequence[str | Path]) -> str:
    """What a command prints that runs as the account of the servers; it has to succeed."""
    done = subprocess.run(words, check=False, capture_output=True, text=True, cwd="/", **identity())
    assert done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
    return done.stdout


def proven(adapter: Adapter, original: Original) -> Receipt:
    """What is proven of a backup."""
    return verify.verify(adapter, original, Proof(), timedelta(1))


def hard_linked(source: Path, target: Path) -> Path:
    """A copy of a repository, of hard links: whoever damages a file makes it anew."""
    shutil.copytree(source, target, symlinks=True, copy_function=os.link)
    own(target)
    return target


def working(place: Path, **options: str) -> WorkOptions:
    """Work in ``place``."""
    return WorkOptions(into=place, jobs=2, options=options)


def largest(folder: Path, pattern: str) -> Path:
    """The largest such file below ``folder``."""
    return max(folder.glob(pattern), key=lambda one: one.stat().st_size)


def changed(file: Path, content: bytes) -> None:
    """Other bytes: of this file, not of what it is linked to. Of the servers' account, as before."""
    file.unlink()
    file.write_bytes(content)
    own(file)


def flip(file: Path, at: int | None = None) -> None:
    """Another byte, in the middle unless said."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2 if at is None else at] ^= 0xFF
    changed(file, bytes(content))
