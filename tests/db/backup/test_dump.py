"""Dumps: good ones are loaded and proven, damaged ones are refused by name."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pgrehearse.backup import programs
from pgrehearse.backup.dump_backup import DumpBackup
from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.errors import ExpectationError, SetupError
from support.backups import Shop, changed, flipped, linked_file, missing, of
from support.damages import words
from support.databases import execute, mark


@pytest.fixture(scope="module")
def dumps(shop: Shop) -> dict[str, Path]:
    """One of each format."""
    return {form: shop.take(DumpBackup, form, format=form) for form in ("custom", "directory", "plain")}


@pytest.mark.parametrize("form", ["custom", "directory", "plain"])
def test_a_good_one_is_proven_to_the_canary(
    shop: Shop, dumps: dict[str, Path], form: str, into: Path
) -> None:
    receipt = shop.verify(dumps[form], into=into)
    assert missing(receipt) == {}
    assert receipt.level is EvidenceLevel.CANARY
    assert (receipt.system_identifier, receipt.timeline) == ("", None)
    assert "3,000 rows" in of(receipt, "rows").said


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _last(content: bytes) -> bytes:
    """Without its last lines only."""
    return content[:-200]


def _in_rows(content: bytes) -> bytes:
    """Another letter in a row: only a checksum can tell."""
    at = content.index(b"c4ca4238a0b923820dcc509a6f75849b")
    return content[:at] + b"X" + content[at + 1 :]


@pytest.mark.parametrize(
    ("form", "damage", "check", "said"),
    [
        ("custom", _cut, "readable", words("a file was cut", "pg_dump")),
        ("custom", flipped, "readable", words("a byte of a file is another", "pg_dump")),
        ("plain", _in_rows, "checksums", words("a letter of a plain dump is another", "pg_dump")),
    ],
    ids=["cut", "flipped", "rows"],
)
def test_damage_is_refused_before_anything_is_loaded(
    shop: Shop,
    dumps: dict[str, Path],
    form: str,
    damage: Callable[[bytes], bytes],
    check: str,
    said: str,
    request: pytest.FixtureRequest,
) -> None:
    place = linked_file(dumps[form], f"{form}-{request.node.callspec.id}")
    changed(place, damage)
    receipt = shop.verify(place, DumpBackup)
    assert said in missing(receipt)[check]
    assert receipt.level is EvidenceLevel.LISTED
    assert not any(one.level > EvidenceLevel.READ for one in receipt.evidence)


@pytest.mark.parametrize(
    ("form", "damage", "said"),
    [
        ("plain", _cut, words("a plain dump was cut", "pg_dump")),
        ("plain", _last, words("a plain dump lacks its last lines", "pg_dump")),
        ("plain", lambda content: b"", "it is empty"),
        ("custom", lambda content: b"", words("a file is empty", "pg_dump")),
        ("custom", lambda content: content[:200], words("the contents of a dump were cut", "pg_dump")),
        ("plain", lambda content: b"SELECT 1;\n", words("it is something else", "pg_dump")),
    ],
    ids=["cut", "last-lines", "empty", "empty-custom", "contents", "other"],
)
def test_what_is_no_dump_gets_no_receipt(
    shop: Shop,
    dumps: dict[str, Path],
    form: str,
    damage: Callable[[bytes], bytes],
    said: str,
    request: pytest.FixtureRequest,
) -> None:
    place = linked_file(dumps[form], f"none-{request.node.callspec.id}")
    changed(place, damage)
    with pytest.raises(ExpectationError, match=said):
        shop.verify(place, DumpBackup)


def test_a_member_of_a_directory_is_missed(shop: Shop, dumps: dict[str, Path]) -> None:
    place = dumps["directory"].with_name("half")
    shutil.copytree(dumps["directory"], place)
    max(place.glob("*.dat.gz"), key=lambda one: one.stat().st_size).unlink()
    assert words("a file is gone", "pg_dump") in missing(shop.verify(place))["readable"]


@pytest.mark.parametrize("name", ["toc.dat", "*.dat.gz"])
def test_a_fifo_in_a_directory_is_refused_and_nobody_waits_for_it(
    shop: Shop, dumps: dict[str, Path], name: str
) -> None:
    place = dumps["directory"].with_name(f"fifo-{len(name)}")
    shutil.copytree(dumps["directory"], place)
    one = sorted(place.glob(name))[0]
    one.unlink()
    os.mkfifo(one)
    with pytest.raises(ExpectationError, match=words("a FIFO lies in it", "pg_dump")):
        shop.verify(place, DumpBackup)


@pytest.mark.parametrize("name", ["", "*.dat.gz", "toc.dat", "more"])
def test_a_fifo_behind_a_link_or_in_place_of_the_dump_is_refused(
    shop: Shop, dumps: dict[str, Path], name: str, tmp_path: Path
) -> None:
    """Whoever opens one waits; looking for the adapter would, too."""
    place = tmp_path / "dump"
    os.mkfifo(tmp_path / "fifo")
    if not name:
        place.symlink_to(tmp_path / "fifo")
    else:
        shutil.copytree(dumps["directory"], place)
        one = next(iter(sorted(place.glob(name))), place / "more")
        one.unlink(missing_ok=True)
        one.symlink_to(tmp_path if one.name == "more" else tmp_path / "fifo")
    assert DumpBackup.recognizes(str(place)) is (name not in ("", "toc.dat"))
    with pytest.raises(ExpectationError, match=words("a FIFO lies in it", "pg_dump")):
        shop.verify(place, DumpBackup)


def test_checksums_that_are_a_fifo_are_refused(shop: Shop, dumps: dict[str, Path]) -> None:
    place = linked_file(dumps["plain"], "fifo-beside", checksums=False)
    os.mkfifo(place.with_name(f"{place.name}.sha256"))
    assert words("a FIFO lies in it", "pg_dump") in missing(shop.verify(place))["checksums"]


def test_a_tar_file_is_proven_and_refused_where_it_was_cut(shop: Shop, into: Path, tmp_path: Path) -> None:
    """`take` makes none, others do; pg_restore reads it by one process only."""
    shop.take(DumpBackup, "canary-of-tar")
    place = part(shop, tmp_path / "of.tar", "--format=tar")
    receipt = shop.verify(place, into=into)
    assert list(missing(receipt)) == ["checksums"]
    assert "3,000 rows" in of(receipt, "rows").said
    whole = place.read_bytes()
    for cut in (len(whole) // 2, len(whole) // 3, len(whole) - 1024):
        changed(place, lambda content, cut=cut: whole[:cut])
        receipt = shop.verify(place, DumpBackup)
        assert words("a file was cut", "pg_dump") in missing(receipt)["readable"], cut
        assert receipt.level is EvidenceLevel.LISTED


@pytest.mark.parametrize(
    ("pack", "said"),
    [
        (gzip.compress, "compressed by gzip"),
        (lzma.compress, "compressed by xz"),
        (bz2.compress, "compressed by bzip2"),
        (lambda content: b"Salted__" + lzma.compress(content), "encrypted by openssl"),
        (lambda content: b"age-encryption.org/v1\n" + lzma.compress(content), "encrypted by age"),
    ],
    ids=["gzip", "xz", "bzip2", "openssl", "age"],
)
def test_what_others_packed_is_called_that(
    shop: Shop, dumps: dict[str, Path], pack: Callable[[bytes], bytes], said: str, tmp_path: Path
) -> None:
    place = tmp_path / "packed"
    place.write_bytes(pack(dumps["plain"].read_bytes()))
    with pytest.raises(ExpectationError, match=f"it is {said}"):
        shop.verify(place)


@pytest.mark.parametrize("sections", [("pre-data", "data"), ("pre-data", "data", "post-data")])
def test_a_dump_of_two_of_its_sections_is_refused(
    shop: Shop, dumps: dict[str, Path], sections: tuple[str, ...], tmp_path: Path
) -> None:
    """It loads without an error and has all rows. All three are the whole: the counterproof."""
    shop.take(DumpBackup, f"canary-of-{len(sections)}")
    place = part(shop, tmp_path / "part", *(f"--section={one}" for one in sections))
    found = missing(shop.verify(place, DumpBackup))
    if "post-data" in sections:
        assert list(found) == ["checksums"]
    else:
        assert words("indexes and constraints are missing", "pg_dump") in found["indexes"]


@pytest.mark.parametrize("form", ["custom", "plain"])
@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_bytes_of_another_encoding_come_back(shop: Shop, encoding: str, form: str, tmp_path: Path) -> None:
    """In UTF-8 the first could not be dumped: nothing says which letters they are."""
    name = f"in_{encoding}_{form}".lower()
    made = f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
    execute(shop.server.dsn(), made)
    try:
        other = Shop(shop.server, shop.server.dsn(name), tmp_path)
        mark(other.dsn, "staging")
        execute(other.dsn, "CREATE TABLE t (n bytea)")
        execute(other.dsn, "INSERT INTO t VALUES ('\\xe9')")
        execute(other.dsn, f"CREATE TABLE u AS SELECT pg_catalog.convert_from(n, '{encoding}') AS n FROM t")
        place = other.take(DumpBackup, "dump", format=form)
        receipt = other.verify(place)
        assert missing(receipt) == {}
        assert receipt.level is EvidenceLevel.CANARY
    finally:
        execute(shop.server.dsn(), f"DROP DATABASE {name}")


@pytest.mark.parametrize("words_", [["--clean"], ["--clean", "--if-exists", "--create"]], ids=len)
def test_a_script_that_drops_first_finds_nothing_to_drop(
    shop: Shop, words_: list[str], tmp_path: Path
) -> None:
    """Nothing is there, or somebody is connected to the database: what follows is the whole of it."""
    execute(shop.dsn, """CREATE TABLE "a; 'b" (id int CONSTRAINT "k;" PRIMARY KEY)""")
    shop.take(DumpBackup, f"canary-of-clean-{len(words_)}")
    place = part(shop, tmp_path / "clean.sql", "--format=plain", *words_)
    execute(shop.dsn, """DROP TABLE "a; 'b" """)
    assert list(missing(shop.verify(place))) == ["checksums"]
    changed(
        place,
        lambda content: content.replace(b"CREATE TABLE public.orders", b"DROP; CREATE TABLE public.orders"),
    )
    assert "syntax error" in missing(shop.verify(place))["loaded"]


def test_an_empty_table_that_is_not_in_the_copy_is_missed(shop: Shop, tmp_path: Path) -> None:
    execute(shop.dsn, 'CREATE SCHEMA "s p"; CREATE TABLE "s p"."Em pty" (id int PRIMARY KEY)')
    try:
        shop.take(DumpBackup, "canary-of-empty")
        place = part(shop, tmp_path / "part", "--exclude-schema=s p")
        said = missing(shop.verify(place, DumpBackup))["rows"]
        assert words("an empty table is missing", "pg_dump") in said
        assert said.startswith("s p.Em pty")
    finally:
        execute(shop.dsn, 'DROP SCHEMA "s p" CASCADE')


def test_a_dump_without_large_objects_is_refused(shop: Shop, tmp_path: Path) -> None:
    """Tables, rows, sequences and indexes are all there. Receipts of runbooks are no rows of anybody's."""
    receipt = "COMMENT ON LARGE OBJECT 4711 IS 'pgrehearse receipt {}'"
    execute(shop.dsn, f"SELECT pg_catalog.lo_create(4711); {receipt}")
    shop.take(DumpBackup, "canary-of-large-objects")
    try:
        assert missing(shop.verify(part(shop, tmp_path / "receipt", "-B"), DumpBackup)).keys() == {
            "checksums"
        }
        execute(shop.dsn, "SELECT pg_catalog.lo_from_bytea(4712, 'a photo')")
        said = missing(shop.verify(part(shop, tmp_path / "without", "-B"), DumpBackup))
        assert said.keys() == {"checksums", "objects"}
        assert words("large objects are missing", "pg_dump") in said["objects"]
        whole = shop.verify(part(shop, tmp_path / "whole"), DumpBackup)
        assert missing(whole).keys() == {"checksums"}
        assert of(whole, "objects").said == "large objects: 1"
    finally:
        execute(shop.dsn, "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata")


def test_what_was_made_since_without_a_migration_is_no_part_of_it(shop: Shop) -> None:
    """A table: others make them all the time. An index on a table that the backup holds is missed."""
    place = shop.take(DumpBackup, "before-it-was-made")
    execute(shop.dsn, "CREATE TABLE since (id int PRIMARY KEY, CHECK (id > 0)); CREATE INDEX ON since (id)")
    try:
        assert missing(shop.verify(place, DumpBackup)) == {}
        execute(shop.dsn, 'CREATE INDEX "in dex" ON orders (id)')
        assert (
            "the copy lacks the index in dex on public.orders: "
            in missing(shop.verify(place, DumpBackup))["indexes"] + ": "
        )
    finally:
        execute(shop.dsn, 'DROP TABLE since; DROP INDEX IF EXISTS "in dex"')


def test_a_canary_that_is_a_view_is_not_read(shop: Shop) -> None:
    """It would run as whoever verifies, a superuser of the copy for one."""
    place = shop.take(DumpBackup, "before-the-view")
    execute(shop.dsn, "ALTER TABLE pgrehearse.canary RENAME TO aside")
    execute(
        shop.dsn, "CREATE VIEW pgrehearse.canary AS SELECT 1 / 0 AS id, at, lsn, tables FROM pgrehearse.aside"
    )
    try:
        with pytest.raises(SetupError, match="is not what it must be: is a view"):
            shop.verify(place)
    finally:
        execute(shop.dsn, "DROP VIEW pgrehearse.canary; ALTER TABLE pgrehearse.aside RENAME TO canary")


def part(shop: Shop, place: Path, *words: str) -> Path:
    """What pg_dump writes by hand."""
    program = programs.called("pg_dump", shop.server.major)
    assert program is not None
    command = [program, "--format=custom", f"--file={place}", *words, f"--dbname={shop.dsn}"]
    assert programs.run(command).status == 0
    return place


def test_without_checksums_the_rest_is_tried(shop: Shop, dumps: dict[str, Path]) -> None:
    place = linked_file(dumps["custom"], "alone", checksums=False)
    receipt = shop.verify(place)
    assert list(missing(receipt)) == ["checksums"]
    assert receipt.level is EvidenceLevel.LISTED
    assert of(receipt, "canary").ok


def test_a_dump_that_loads_in_part_is_refused(shop: Shop) -> None:
    """pg_dump ends with status 0, and so does psql: the table stays empty."""
    execute(shop.dsn, "CREATE TABLE allowed (id int); INSERT INTO allowed VALUES (1)")
    execute(
        shop.dsn,
        "CREATE FUNCTION is_allowed(n int) RETURNS boolean LANGUAGE sql AS"
        " 'SELECT EXISTS (SELECT FROM allowed WHERE id = n)'",
    )
    execute(shop.dsn, "CREATE TABLE picky (id int CHECK (is_allowed(id))); INSERT INTO picky VALUES (1)")
    try:
        for form in ("custom", "plain"):
            lost = missing(shop.verify(shop.take(DumpBackup, f"picky-{form}", format=form)))
            assert 'relation "allowed" does not exist' in lost["loaded"]
    finally:
        execute(shop.dsn, "DROP TABLE picky, allowed; DROP FUNCTION is_allowed")


def test_rows_give_psql_no_commands(shop: Shop, dumps: dict[str, Path], tmp_path: Path) -> None:
    r"""A script of before 2025 has no \restrict, so it gets one."""
    told = tmp_path / "told"
    place = shop.folder / "commands"
    lines = dumps["plain"].read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(("\\restrict", "\\unrestrict"))]
    at = next(number for number, line in enumerate(kept) if line.startswith("CREATE TABLE"))
    place.write_text("".join([*kept[:at], f"\\! touch {told}\n", *kept[at:]]), "utf-8")
    shop.verify(place, DumpBackup)
    assert not told.exists()


def test_code_in_a_dump_has_no_powers(shop: Shop) -> None:
    """A CHECK runs its function when rows are loaded: by a role that may not call programs."""
    told = shop.server_place / f"told-{shop.server.id}"
    execute(
        shop.dsn,
        "CREATE FUNCTION calls(n int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN"
        f" COPY (SELECT 1) TO PROGRAM 'cat > {told}'; RETURN true;"
        " EXCEPTION WHEN insufficient_privilege THEN RETURN true; END $$",
    )
    try:
        execute(shop.dsn, "CREATE TABLE code (id int CHECK (public.calls(id))); INSERT INTO code VALUES (1)")
        assert told.exists(), "the superuser who inserted the row lent it his powers"
        told.unlink()
        receipt = shop.verify(shop.take(DumpBackup, "code"))
    finally:
        execute(shop.dsn, "DROP TABLE code; DROP FUNCTION calls")
    assert not told.exists()
    assert of(receipt, "loaded").ok


def test_a_dump_that_is_interrupted_leaves_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*given: object, **more: object) -> programs.Ended:
        draft = next(one for one in given[0] if str(one).startswith("--file="))  # type: ignore[attr-defined]
        Path(str(draft).removeprefix("--file=")).write_text("half", "utf-8")
        raise KeyboardInterrupt

    (shop.folder / "interrupted").mkdir()
    monkeypatch.setattr(programs, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        shop.take(DumpBackup, "interrupted/dump")
    assert list((shop.folder / "interrupted").iterdir()) == []
