"""Dumps: good ones are loaded and proven, damaged ones are refused by name."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pgrehearse.backup import programs
from pgrehearse.backup.dump import Dump
from pgrehearse.backup.levels import Level
from pgrehearse.errors import ExpectationError
from support.backups import Shop, changed, flipped, linked_file, missing, of
from support.damages import words
from support.databases import execute


@pytest.fixture(scope="module")
def dumps(shop: Shop) -> dict[str, Path]:
    """One of each format."""
    return {form: shop.take(Dump, form, format=form) for form in ("custom", "directory", "plain")}


@pytest.mark.parametrize("form", ["custom", "directory", "plain"])
def test_a_good_one_is_proven_to_the_canary(
    shop: Shop, dumps: dict[str, Path], form: str, into: Path
) -> None:
    receipt = shop.verify(dumps[form], into=into)
    assert missing(receipt) == {}
    assert receipt.level is Level.CANARY
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
    receipt = shop.verify(place, Dump)
    assert said in missing(receipt)[check]
    assert receipt.level is Level.LISTED
    assert not any(one.level > Level.READ for one in receipt.evidence)


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
        shop.verify(place, Dump)


def test_a_member_of_a_directory_is_missed(shop: Shop, dumps: dict[str, Path]) -> None:
    place = dumps["directory"].with_name("half")
    shutil.copytree(dumps["directory"], place)
    max(place.glob("*.dat.gz"), key=lambda one: one.stat().st_size).unlink()
    assert words("a file is gone", "pg_dump") in missing(shop.verify(place))["readable"]


def test_without_checksums_the_rest_is_tried(shop: Shop, dumps: dict[str, Path]) -> None:
    place = linked_file(dumps["custom"], "alone", checksums=False)
    receipt = shop.verify(place)
    assert list(missing(receipt)) == ["checksums"]
    assert receipt.level is Level.LISTED
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
            lost = missing(shop.verify(shop.take(Dump, f"picky-{form}", format=form)))
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
    shop.verify(place, Dump)
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
        receipt = shop.verify(shop.take(Dump, "code"))
    finally:
        execute(shop.dsn, "DROP TABLE code; DROP FUNCTION calls")
    assert not told.exists()
    assert of(receipt, "loaded").ok


def test_a_dump_that_is_interrupted_leaves_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*given: object, **more: object) -> programs.Done:
        draft = next(one for one in given[0] if str(one).startswith("--file="))  # type: ignore[attr-defined]
        Path(str(draft).removeprefix("--file=")).write_text("half", "utf-8")
        raise KeyboardInterrupt

    (shop.folder / "interrupted").mkdir()
    monkeypatch.setattr(programs, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        shop.take(Dump, "interrupted/dump")
    assert list((shop.folder / "interrupted").iterdir()) == []
