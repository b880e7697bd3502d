"""A database to back up, and what is proven of its backups."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pgrehearse.backup import original as originals
from pgrehearse.backup import verify
from pgrehearse.backup.adapter import Adapter, WorkOptions
from pgrehearse.backup.adapters import recognized
from pgrehearse.backup.original import Original
from pgrehearse.backup.proof import Proof
from pgrehearse.backup.receipt import Evidence, Receipt
from pgrehearse.backup.take import take
from pgrehearse.environments.target import open_target
from pgrehearse.servers import Server
from support.databases import execute, mark

__all__ = ["Shop", "changed", "empty", "flipped", "linked", "linked_file", "missing", "of", "opened"]

_ROWS = """
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text NOT NULL);
INSERT INTO orders (note) SELECT pg_catalog.md5(n::text) FROM pg_catalog.generate_series(1, 3000) AS n;
CREATE TABLE nothing_yet (id int PRIMARY KEY);
ANALYZE orders;
"""


@dataclass
class Shop:
    """A database called shop, marked production, with 3000 orders, on a server of its own."""

    server: Server
    dsn: str
    folder: Path

    def look(self, **other: Any) -> Original:
        """The database as it is now, but for ``other``."""
        return replace(originals.look(open_target(self.dsn)), **other)

    def take(self, adapter: type[Adapter], name: str, **options: str) -> Path:
        """A backup called ``name``, with its canary."""
        place = self.folder / name
        take(adapter(str(place), self.look(), WorkOptions(options=options)))
        return place

    def verify(
        self, place: Path, adapter: type[Adapter] | None = None, into: Path | None = None, **other: Any
    ) -> Receipt:
        """What is proven of the backup at ``place``; ``other`` is believed of the original."""
        of = adapter or recognized(str(place))
        work = WorkOptions(into=into or self.server_place, jobs=2)
        return verify.verify(
            of(str(place), self.look(**other), work), self.look(**other), Proof(), timedelta(1)
        )

    @property
    def server_place(self) -> Path:
        """Where copies are made: short enough for a socket."""
        return Path(str(self.server.env("shop")["PGHOST"])).parent


@contextmanager
def empty(shop: Shop) -> Iterator[Path]:
    """A folder for copies, with a short path; nothing of them may be left at the end."""
    place = shop.server_place / f"bk-{shop.server.id}"
    place.mkdir(mode=0o755)
    try:
        yield place
        assert list(place.iterdir()) == [], "nothing of a copy is left"
    finally:
        shutil.rmtree(place)


def opened(server: Server, folder: Path) -> Shop:
    """Make the database."""
    execute(server.dsn(), "CREATE DATABASE shop")
    dsn = server.dsn("shop")
    for statement in _ROWS.strip().split(";\n"):
        execute(dsn, statement)
    mark(dsn, "production")
    return Shop(server, dsn, folder)


def missing(receipt: Receipt) -> Mapping[str, str]:
    """What is not proven: check -> why."""
    return {one.check: one.said for one in receipt.missing}


def of(receipt: Receipt, check: str) -> Evidence:
    """The last line of that name."""
    return next(one for one in reversed(receipt.evidence) if one.check == check)


def linked(place: Path, name: str) -> Path:
    """A copy of the backup at ``place`` beside it, of hard links: `changed` makes a file anew."""
    target = place.with_name(name)
    shutil.copytree(place, target, symlinks=True, copy_function=_link)
    return target


def linked_file(place: Path, name: str, *, checksums: bool = True) -> Path:
    """A copy of the dump at ``place`` beside it, with its checksums under the new name."""
    target = place.with_name(name)
    target.hardlink_to(place)
    if checksums:
        known = place.with_name(f"{place.name}.sha256").read_text("utf-8")
        target.with_name(f"{name}.sha256").write_text(known.replace(f"  {place.name}", f"  {name}"), "utf-8")
    return target


def changed(file: Path, change: Callable[[bytes], bytes]) -> None:
    """Give ``file`` other bytes, and not what it is linked to."""
    content = change(file.read_bytes())
    file.unlink()
    file.write_bytes(content)


def flipped(content: bytes, at: int | None = None) -> bytes:
    """One byte of it is another, in the middle unless said."""
    where = len(content) // 2 if at is None else at
    return content[:where] + bytes([content[where] ^ 0xFF]) + content[where + 1 :]


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)
