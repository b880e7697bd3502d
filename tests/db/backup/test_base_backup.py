"""Backups by pg_basebackup: good ones are proven, damaged ones are refused by name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pgrehearse.backup import programs
from pgrehearse.backup.adapter import WorkOptions
from pgrehearse.backup.base_backup import BaseBackup
from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.errors import ExpectationError, SetupError
from pgrehearse.servers.account import own
from support.backups import Shop, changed, flipped, linked, missing, of
from support.damages import words
from support.databases import execute

WAL = "0000000100000000000000*"


@pytest.fixture(scope="module")
def plain(shop: Shop) -> Path:
    return shop.take(BaseBackup, "plain")


@pytest.fixture(scope="module")
def tarred(shop: Shop) -> Path:
    return shop.take(BaseBackup, "tarred", format="tar")


def test_a_good_one_is_proven_to_the_canary(shop: Shop, plain: Path, into: Path) -> None:
    receipt = shop.verify(plain, into=into)
    assert missing(receipt) == {}
    assert receipt.level is EvidenceLevel.CANARY
    assert receipt.canary
    assert receipt.system_identifier == shop.look().system_identifier
    assert "3,000 rows in 2 tables, 1 of them empty, as before" in of(receipt, "rows").said


def test_so_is_one_of_tar_files(shop: Shop, tarred: Path) -> None:
    receipt = shop.verify(tarred)
    assert (missing(receipt), receipt.level) == ({}, EvidenceLevel.CANARY)


def first(place: Path, pattern: str) -> Path:
    return sorted(place.glob(pattern))[-1]


def _flip(pattern: str) -> Callable[[Path], None]:
    return lambda place: changed(first(place, pattern), flipped)


def _lose(pattern: str) -> Callable[[Path], None]:
    return lambda place: first(place, pattern).unlink()


def _pipe(name: str) -> Callable[[Path], None]:
    def make(place: Path) -> None:
        (place / name).unlink(missing_ok=True)
        os.mkfifo(place / name)

    return make


def _cut(pattern: str) -> Callable[[Path], None]:
    return lambda place: changed(first(place, pattern), lambda content: content[: len(content) // 2])


@pytest.mark.parametrize(
    ("damage", "check", "said"),
    [
        (_flip("base/5/2619"), "checksums", words("a byte of a file is another", "pg_basebackup")),
        (_flip("global/1262"), "checksums", words("a byte of a catalog is another", "pg_basebackup")),
        (_lose("base/5/1259"), "checksums", words("a file is gone", "pg_basebackup")),
        (_lose(f"pg_wal/{WAL}"), "checksums", words("WAL of the backup is gone", "pg_basebackup")),
        (
            lambda place: (place / "base/5/99999").write_bytes(b"x"),
            "checksums",
            words("a file is too many", "pg_basebackup"),
        ),
        (
            lambda place: shutil.rmtree(place / "pg_xact"),
            "checksums",
            words("a folder is gone", "pg_basebackup"),
        ),
    ],
    ids=["data", "catalog", "file-gone", "wal-gone", "file-more", "folder-gone"],
)
def test_damage_is_refused_before_anything_is_restored(
    shop: Shop,
    plain: Path,
    damage: Callable[[Path], None],
    check: str,
    said: str,
    request: pytest.FixtureRequest,
) -> None:
    place = linked(plain, f"damaged-{request.node.callspec.id}")
    damage(place)
    receipt = shop.verify(place)
    assert said in missing(receipt)[check]
    assert receipt.level is EvidenceLevel.LISTED
    assert not any(one.level > EvidenceLevel.READ for one in receipt.evidence)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_lose("backup_manifest"), words("its description is gone", "pg_basebackup")),
        (_cut("backup_manifest"), words("its description was cut or changed", "pg_basebackup")),
        (_lose("backup_label"), words("backup_label is gone", "pg_basebackup")),
        (_pipe("pg_wal/000000010000000000000099"), words("a FIFO lies in it", "pg_basebackup")),
        (_pipe("backup_manifest"), words("a FIFO lies in it", "pg_basebackup")),
        (_pipe("base/5/2619"), words("a FIFO lies in it", "pg_basebackup")),
    ],
    ids=["manifest", "half-manifest", "label", "fifo-more", "fifo-manifest", "fifo-data"],
)
def test_what_is_no_backup_gets_no_receipt(
    shop: Shop, plain: Path, damage: Callable[[Path], None], said: str, request: pytest.FixtureRequest
) -> None:
    place = linked(plain, f"none-{request.node.callspec.id}")
    damage(place)
    with pytest.raises(ExpectationError, match=said):
        shop.verify(place)


@pytest.mark.parametrize(
    ("believed", "check", "said"),
    [
        ({"system_identifier": "7"}, "server", words("it is of another server", "pg_basebackup")),
        ({"timeline": 2}, "server", words("it is of another timeline", "pg_basebackup")),
        ({"superuser": "nobody_here"}, "recovery", 'role "nobody_here" does not exist'),
        (
            {"versions": ("20260101",)},
            "ledger",
            words("it is from before the last migration", "pg_basebackup"),
        ),
    ],
    ids=["foreign", "timeline", "no-such-role", "before-the-last-migration"],
)
def test_a_backup_of_something_else_is_refused(
    shop: Shop, plain: Path, believed: dict[str, object], check: str, said: str
) -> None:
    assert said in missing(shop.verify(plain, **believed))[check]


@pytest.mark.parametrize(
    ("damage", "check", "said"),
    [
        (_flip("base.tar"), "checksums", words("a byte of tar files is another", "pg_basebackup")),
        (_lose("pg_wal.tar"), "WAL", words("WAL of tar files is gone", "pg_basebackup")),
        (_cut("base.tar"), "checksums", ""),
    ],
    ids=["data", "wal-gone", "cut"],
)
def test_damaged_tar_files_are_refused(
    shop: Shop,
    tarred: Path,
    damage: Callable[[Path], None],
    check: str,
    said: str,
    request: pytest.FixtureRequest,
) -> None:
    place = linked(tarred, f"tarred-{request.node.callspec.id}")
    damage(place)
    receipt = shop.verify(place)
    assert said in missing(receipt)[check]
    assert receipt.level is EvidenceLevel.LISTED


def test_without_checksums_a_changed_byte_cannot_be_seen(shop: Shop) -> None:
    place = shop.folder / "no-checksums"
    program = programs.called("pg_basebackup", shop.server.major)
    assert program is not None
    done = programs.run(
        [program, "-D", place, "--manifest-checksums=NONE", "--checkpoint=fast"],
        settings=shop.look().settings,
    )
    assert done.status == 0, done.said
    receipt = shop.verify(place)
    assert words("nothing has read it whole", "pg_basebackup") in missing(receipt)["checksums"]
    assert receipt.level is EvidenceLevel.LISTED
    assert of(receipt, "recovery").ok, "the rest is tried all the same"


def test_a_chain_is_whole_or_refused(shop: Shop) -> None:
    full = shop.take(BaseBackup, "chain/full")
    execute(shop.dsn, "INSERT INTO orders (note) VALUES ('between')")
    shop.take(BaseBackup, "chain/one", incremental=str(full))
    last = shop.take(BaseBackup, "chain/two", incremental=str(full.with_name("one")))
    execute(shop.dsn, "DELETE FROM orders WHERE note = 'between'")
    receipt = shop.verify(last)
    assert (missing(receipt), receipt.level) == ({}, EvidenceLevel.CANARY)
    assert of(receipt, "chain").said == "full <- one <- two"
    changed(first(full, "base/5/2619"), flipped)
    assert (
        words("a byte of the full backup below is another", "pg_basebackup")
        in missing(shop.verify(last))["checksums"]
    )
    shutil.rmtree(full)
    with pytest.raises(ExpectationError, match=words("the full backup below is gone", "pg_basebackup")):
        shop.verify(last)


def test_what_was_deleted_since_is_in_the_backup(shop: Shop) -> None:
    execute(shop.dsn, "CREATE TABLE short_lived AS SELECT 1 AS id")
    place = shop.take(BaseBackup, "rows")
    execute(shop.dsn, "TRUNCATE short_lived")
    receipt = shop.verify(place)
    execute(shop.dsn, "DROP TABLE short_lived")
    assert (missing(receipt), receipt.level) == ({}, EvidenceLevel.CANARY)


@pytest.mark.usefixtures("plain")  # there is a table of canaries
def test_a_table_that_had_rows_must_have_them(shop: Shop) -> None:
    """The canary says so, which was written when they were there."""
    had = """('{"public.nothing_yet": 4}')"""
    execute(shop.dsn, f"INSERT INTO pgrehearse.canary (tables) VALUES {had}")
    place = shop.folder / "no-rows"
    try:
        BaseBackup(str(place), shop.look(), WorkOptions()).take()
        receipt = shop.verify(place)
    finally:
        execute(shop.dsn, f"DELETE FROM pgrehearse.canary WHERE tables = {had}")
    assert list(missing(receipt)) == ["rows"]
    assert words("rows are missing", "pg_basebackup") in missing(receipt)["rows"]
    assert receipt.level is EvidenceLevel.RESTORED


def test_without_a_canary_a_backup_is_not_this_database(shop: Shop, plain: Path) -> None:
    execute(shop.dsn, "CREATE TABLE kept AS SELECT * FROM pgrehearse.canary")
    execute(shop.dsn, "TRUNCATE pgrehearse.canary")
    try:
        lost = missing(shop.verify(plain))
    finally:
        execute(shop.dsn, "INSERT INTO pgrehearse.canary SELECT * FROM kept")
        execute(shop.dsn, "DROP TABLE kept")
    assert lost["canary"] == words("it holds no canary of this database", "pg_basebackup")


def test_an_index_that_lacks_rows_is_found(shop: Shop) -> None:
    """pg_amcheck without --heapallindexed ends with status 0 here."""
    execute(shop.dsn, "CREATE FUNCTION first_word(t text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT t'")
    execute(shop.dsn, "CREATE INDEX orders_word ON orders (first_word(note))")
    execute(
        shop.dsn,
        "CREATE OR REPLACE FUNCTION first_word(t text) RETURNS text IMMUTABLE LANGUAGE sql"
        " AS 'SELECT reverse(t)'",
    )
    try:
        receipt = shop.verify(shop.take(BaseBackup, "index"))
    finally:
        execute(shop.dsn, "DROP FUNCTION first_word CASCADE")
    assert words("an index lacks rows", "pg_basebackup") in missing(receipt)["indexes"]
    assert receipt.level is EvidenceLevel.RESTORED


def test_the_owner_without_replication_is_told_so(shop: Shop) -> None:
    execute(shop.dsn, "CREATE ROLE plain_owner LOGIN; GRANT ALL ON DATABASE shop TO plain_owner")
    original = shop.look()
    target = replace(original.target, conninfo=shop.server.dsn("shop", "plain_owner"), user="plain_owner")
    place = shop.folder / "refused"
    with pytest.raises(SetupError, match="plain_owner may not take a base backup: that needs REPLICATION"):
        BaseBackup(str(place), replace(original, target=target), WorkOptions()).take()
    assert not place.exists()


def test_with_tablespaces_the_copy_has_its_own(shop: Shop, tmp_path: Path) -> None:
    where = shop.server_place / f"tablespace-{shop.server.id}"
    where.mkdir()
    own(where)
    try:
        execute(shop.dsn, f"CREATE TABLESPACE far LOCATION '{where}'")
        execute(shop.dsn, "CREATE TABLE far_away TABLESPACE far AS SELECT 1 AS id")
        place = shop.take(BaseBackup, "tablespaces")
        before = {one: one.stat().st_mtime_ns for one in where.rglob("*")}
        receipt = shop.verify(place)
        assert (missing(receipt), receipt.level) == ({}, EvidenceLevel.CANARY)
        assert {one: one.stat().st_mtime_ns for one in where.rglob("*")} == before
        oid = next(one for one in place.glob("[0-9]*.tar"))
        broken = linked(place, "no-tablespace")
        (broken / oid.name).unlink()
        lost = missing(shop.verify(broken))
        assert any(oid.stem in said for said in lost.values()), lost
    finally:
        execute(shop.dsn, "DROP TABLE IF EXISTS far_away")
        execute(shop.dsn, "DROP TABLESPACE IF EXISTS far")
        shutil.rmtree(where, ignore_errors=True)


def test_a_copy_does_nothing_for_the_original(shop: Shop, plain: Path) -> None:
    """Whatever its files say: it is no standby, archives nothing, loads nothing, follows nobody."""
    place = linked(plain, "armed")
    archived = shop.server_place / f"archive-{shop.server.id}"
    changed(
        place / "postgresql.auto.conf",
        lambda content: (
            content
            + f"""
archive_mode = always
archive_command = 'echo %f >> {archived}'
shared_preload_libraries = 'no_such_library'
primary_conninfo = 'host=/nowhere'
restore_command = 'echo %f >> {archived}; false'
recovery_target_time = '2099-01-01'
listen_addresses = '*'
event_triggers = on
""".encode()
        ),
    )
    (place / "standby.signal").touch()
    (place / "recovery.signal").touch()
    (place / "tablespace_map").write_text("16384 /tmp\n", "utf-8")
    (place / "pg_replslot" / "left_over").mkdir()
    receipt = shop.verify(place)
    lost = missing(receipt)
    assert "tablespace_map" in lost["checksums"], "an extra file is seen"
    (place / "tablespace_map").unlink()
    receipt = shop.verify(place)
    assert (missing(receipt), receipt.level) == ({}, EvidenceLevel.CANARY)
    assert not archived.exists()
