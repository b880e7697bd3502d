"""Barman: a good backup is proven to the canary, one without its WAL refused, which its own checks pass."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pgrehearse.backup import take as taking
from pgrehearse.backup.barman import Barman
from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.backup.receipt import Receipt
from pgrehearse.errors import ExpectationError
from pgrehearse.servers import binaries, cluster
from pgrehearse.servers.account import account, own
from support.archives import (
    Archive,
    archiving,
    as_server,
    changed,
    flip,
    hard_linked,
    largest,
    proven,
    working,
)
from support.damages import words
from support.databases import execute
from support.majors import RECENT
from support.programs import program

_CONFIG = """[barman]
barman_home = {home}
barman_user = {user}
configuration_files_directory = {folder}/none
log_file = {folder}/barman.log
path_prefix = {folder}/programs
[shop]
description = shop
conninfo = host={socket} port=5432 user=postgres dbname=postgres
streaming_conninfo = host={socket} port=5432 user=postgres
backup_method = postgres
immediate_checkpoint = true
archiver = on
"""


@dataclass
class Catalog:
    """A server of Barman with one backup, and three WAL files archived since."""

    archive: Archive
    program: Path
    later: list[str] = field(default_factory=list)
    made: int = 0

    def config(self, home: Path) -> Path:
        file = home.with_suffix(".conf")
        who = account()
        user = who.name if who else Path.home().owner()
        socket = self.archive.server.env("shop")["PGHOST"]
        file.write_text(_CONFIG.format(home=home, user=user, folder=self.archive.folder, socket=socket))
        return file

    def damaged(self, damage: Callable[[Path, Catalog], None]) -> Path:
        """The configuration of a copy of the catalog, with that damage."""
        self.made += 1
        home = hard_linked(self.archive.folder / "home", self.archive.folder / f"home-{self.made}")
        damage(home / "shop", self)
        return self.config(home)

    def adapter(self, config: Path, place: str = "shop", **options: str) -> Barman:
        options = {"config": str(config), "program": str(self.program), **options}
        return Barman(place, self.archive.look(), working(self.archive.folder, **options))

    def verify(self, config: Path, place: str = "shop", **options: str) -> Receipt:
        return proven(self.adapter(config, place, **options), self.archive.look())

    def run(self, *words: str) -> str:
        return as_server([self.program, "-c", self.archive.folder / "home.conf", *words])


@pytest.fixture(scope="module")
def catalog() -> Iterator[Catalog]:
    barman, rsync = program("barman-3.19"), program("rsync-3.2")
    with archiving(RECENT, "cp %p {folder}/home/shop/incoming/%f") as archive:
        found = Catalog(archive, barman)
        for folder in ("home/shop/incoming", "none", "programs"):
            (archive.folder / folder).mkdir(parents=True)
        called = cluster.runnable(binaries.find(RECENT)).bindir
        for name in ("pg_basebackup", "pg_verifybackup", "pg_receivewal", "psql"):
            (archive.folder / "programs" / name).symlink_to(called / name)
        (archive.folder / "programs" / "rsync").symlink_to(rsync)
        own(archive.folder)
        config = found.config(archive.folder / "home")
        archive.switch()
        found.run("archive-wal", "shop")
        taking.take(found.adapter(config))
        for number in (1, 2, 3):
            execute(archive.dsn, f"SELECT pg_create_restore_point('point_{number}')")
            execute(archive.dsn, "INSERT INTO orders SELECT max(id) + 1 FROM orders")
            found.later.append(archive.switch())
        found.run("archive-wal", "shop")
        yield found


def test_a_good_one_is_read_back_to_the_canary(catalog: Catalog) -> None:
    receipt = catalog.verify(catalog.archive.folder / "home.conf")
    assert receipt.level is EvidenceLevel.CANARY, receipt.missing


def _data(shop: Path) -> Path:
    return next((shop / "base").glob("*/data"))


def _wal(shop: Path) -> list[Path]:
    """WAL files, the backup's own first."""
    return sorted((shop / "wals").glob("*/" + "[0-9A-F]" * 24))


HOW: dict[str, Callable[[Path, Catalog], None]] = {
    "a byte of a file is another": lambda shop, _: flip(largest(_data(shop) / "base", "*/*")),
    "a file is gone": lambda shop, _: largest(_data(shop) / "base", "*/*").unlink(),
    "a file was cut": lambda shop, _: changed(largest(_data(shop) / "base", "*/*"), b"short"),
    "WAL of the backup is gone": lambda shop, _: _wal(shop)[0].unlink(),
    "WAL of the backup was cut": lambda shop, _: changed(_wal(shop)[0], b"short"),
    "all WAL is gone": lambda shop, _: shutil.rmtree(_wal(shop)[0].parent),
    "a byte of WAL is another": lambda shop, _: flip(_wal(shop)[0], 200),
    "WAL written since is gone in the middle": lambda shop, catalog: next(
        (shop / "wals").glob(f"*/{catalog.later[1]}")
    ).unlink(),
}


@pytest.mark.parametrize("damage", HOW)
def test_damage_is_refused_by_name(catalog: Catalog, damage: str) -> None:
    receipt = catalog.verify(catalog.damaged(HOW[damage]))
    found = [one.said for one in receipt.missing]
    assert any(words(damage, "barman") in said for said in found), found
    # Barman keeps no checksum of WAL: a changed byte is found by recovery.
    assert receipt.level is (
        EvidenceLevel.READ if damage == "a byte of WAL is another" else EvidenceLevel.LISTED
    )


def test_a_backup_of_another_server_is_refused(catalog: Catalog) -> None:
    adapter = catalog.adapter(catalog.archive.folder / "home.conf")
    (line,) = proven(adapter, catalog.archive.look(system_identifier="7")).missing
    assert words("it is of another server", "barman") in line.said


@pytest.mark.parametrize(
    ("place", "said"), [("shop/20200101T000000", "Unknown backup"), ("nothing", "Unknown server")]
)
def test_what_is_not_there_is_no_backup(catalog: Catalog, place: str, said: str) -> None:
    with pytest.raises(ExpectationError, match=said):
        catalog.verify(catalog.archive.folder / "home.conf", place)


def test_a_backup_that_barman_calls_failed_is_none(catalog: Catalog) -> None:
    backup = _data(catalog.archive.folder / "home" / "shop").parent.name

    def fail(shop: Path, _: Catalog) -> None:
        info = next((shop / "meta").glob("*-backup.info"))
        changed(info, info.read_bytes().replace(b"status=DONE", b"status=FAILED"))

    with pytest.raises(ExpectationError, match=words("its program calls it failed", "barman")):
        catalog.verify(catalog.damaged(fail), f"shop/{backup}")


def test_recovery_stops_where_it_is_told_or_the_copy_is_refused(catalog: Catalog) -> None:
    config = catalog.archive.folder / "home.conf"
    receipt = catalog.verify(config, until="name:point_2")
    assert receipt.level is EvidenceLevel.CANARY, receipt.missing
    missed = catalog.verify(config, until="name:point_9")
    (line,) = missed.missing
    assert missed.level is EvidenceLevel.READ
    assert words("recovery does not get where it shall", "barman") in line.said


def test_a_program_that_restores_nothing_and_exits_0_is_refused(catalog: Catalog) -> None:
    stub = catalog.archive.folder / "stub"
    real = catalog.program
    stub.write_text(f'#!/bin/sh\ncase "$*" in *restore*) exit 0;; esac\nexec {real} "$@"\n')
    stub.chmod(0o755)
    receipt = catalog.verify(catalog.archive.folder / "home.conf", program=str(stub))
    assert receipt.level is EvidenceLevel.READ
    assert words("the restore exits 0 and made nothing", "barman") in receipt.missing[0].said
