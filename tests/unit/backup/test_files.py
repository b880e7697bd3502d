"""What backups say in their files, and copies of them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pgrehearse.backup import checksums, manifest
from pgrehearse.backup.copying import copied, no_special_file
from pgrehearse.backup.proof import NoRoom, Refused, Unproven
from pgrehearse.backup.room import outside, room
from pgrehearse.errors import SetupError

MANIFEST = {
    "PostgreSQL-Backup-Manifest-Version": 2,
    "System-Identifier": 7,
    "Files": [
        {"Path": "a", "Size": 3, "Last-Modified": "2026-01-02 03:04:05 GMT", "Checksum": "x"},
        {"Path": "b", "Size": 4, "Last-Modified": "2026-01-02 03:04:06 GMT", "Checksum": "y"},
    ],
    "WAL-Ranges": [{"Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000120"}],
}


def write(folder: Path, **other: object) -> Path:
    """As PostgreSQL writes it: the last line is the checksum of those before."""
    return sealed(folder, {**MANIFEST, **other})


def sealed(folder: Path, data: Mapping[str, object]) -> Path:
    kept = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in data.items())
    text = "{ " + kept + ",\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    file = folder / "backup_manifest"
    file.write_text(f'{text}"Manifest-Checksum": "{digest}"}}\n', "utf-8")
    return file


def test_a_manifest_is_read(tmp_path: Path) -> None:
    found = manifest.manifest(write(tmp_path))
    assert (found.system_identifier, found.timeline, found.bytes, found.files) == ("7", 1, 7, 2)
    assert (found.start_lsn, found.end_lsn, found.checksums) == ("0/2000028", "0/2000120", True)
    assert found.finished == datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)


def test_one_of_before_17_names_no_server(tmp_path: Path) -> None:
    data = {name: value for name, value in MANIFEST.items() if name != "System-Identifier"}
    assert manifest.manifest(sealed(tmp_path, data)).system_identifier == ""


def test_a_manifest_for_the_tool_of_another_major(tmp_path: Path) -> None:
    file = write(tmp_path)
    before = manifest.manifest(file)
    other = manifest.manifest(manifest.of_another_major(file, tmp_path / "other"))
    assert other == replace(before, system_identifier="", digest=other.digest)
    again = manifest.of_another_major(tmp_path / "other", tmp_path / "again")
    assert again.read_bytes() == (tmp_path / "other").read_bytes()


def test_a_manifest_that_somebody_changed_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path)
    file.write_text(file.read_text("utf-8").replace('"x"', '"z"'), "utf-8")
    with pytest.raises(Refused, match="is not whole"):
        manifest.manifest(file)


@pytest.mark.parametrize(
    "other",
    [
        {"Files": None},
        {"Files": []},
        {"WAL-Ranges": []},
        {"Files": [{"Path": "a"}]},
        {"WAL-Ranges": "0/1"},
        {"Files": [{"Size": float("inf"), "Last-Modified": "2026-05-04 10:00:00 GMT"}]},
        {"WAL-Ranges": [{"Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "somewhere"}]},
        {"WAL-Ranges": [{"Timeline": 1, "Start-LSN": 7, "End-LSN": "0/2000028"}]},
        {"WAL-Ranges": [{"Timeline": 1, "Start-LSN": "0/-2", "End-LSN": "123456789/0"}]},
    ],
)
def test_one_that_was_spoiled_is_refused(tmp_path: Path, other: dict[str, object]) -> None:
    with pytest.raises(Refused, match="is not whole"):
        manifest.manifest(write(tmp_path, **other))


def test_one_that_nests_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / manifest.NAME).write_text('{"Manifest-Checksum": ' + "[" * 100_000, "utf-8")
    with pytest.raises(Refused, match="is not whole"):
        manifest.manifest(tmp_path / manifest.NAME)


def test_a_label_that_is_a_fifo_is_refused(tmp_path: Path) -> None:
    """Of a backup beside the one that is verified: nobody has looked into that before."""
    os.mkfifo(tmp_path / "backup_label")
    with pytest.raises(Refused, match="neither a file nor a folder"):
        manifest.label(tmp_path)


def test_links_in_a_circle_are_looked_at_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    no_special_file(tmp_path)
    (tmp_path / "a" / "null").symlink_to("/dev/null")
    with pytest.raises(Refused, match="null is neither"):
        no_special_file(tmp_path)


def test_the_label_says_where_it_began_and_upon_what_it_builds() -> None:
    text = "START WAL LOCATION: 0/9000028 (file 000000010000000000000009)\nINCREMENTAL FROM LSN: 0/2000028\n"
    assert manifest.parsed(text) == manifest.Label("0/9000028", "0/2000028")
    assert manifest.parsed("") == manifest.Label("", "")


@pytest.mark.parametrize(
    ("start", "end", "names"),
    [
        ("0/2000028", "0/2000120", ["000000010000000000000002"]),
        ("0/2000028", "0/3000000", ["000000010000000000000002"]),
        ("0/2000028", "0/3000001", ["000000010000000000000002", "000000010000000000000003"]),
        ("0/FF000000", "1/1", ["0000000100000000000000FF", "000000010000000100000000"]),
    ],
)
def test_names_of_wal_files(start: str, end: str, names: list[str]) -> None:
    assert list(manifest.segments(1, start, end, 16 << 20)) == names


def test_checksums_are_those_of_sha256sum(tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    dump.mkdir()
    (dump / "toc.dat").write_text("toc", "utf-8")
    (dump / "1.dat").write_text("rows", "utf-8")
    beside = checksums.written(dump, "dump", tmp_path / "dump.sha256")
    assert [line.split("  ")[1] for line in beside.read_text("utf-8").splitlines()] == [
        "dump/1.dat",
        "dump/toc.dat",
    ]
    assert "SHA-256" in checksums.compared(dump, checksums.of(dump))
    (dump / "2.dat").write_text("more", "utf-8")
    with pytest.raises(Refused, match=r"does not name dump/2\.dat"):
        checksums.compared(dump, "")
    (dump / "2.dat").unlink()
    (dump / "1.dat").write_text("rowS", "utf-8")
    with pytest.raises(Refused, match=r"dump/1\.dat is not what it was"):
        checksums.compared(dump, "")
    (dump / "1.dat").unlink()
    with pytest.raises(Refused, match=r"dump/1\.dat is missing"):
        checksums.compared(dump, "")
    beside.unlink()
    with pytest.raises(Unproven):
        checksums.compared(dump, "")


def test_one_file_by_itself(tmp_path: Path) -> None:
    dump = tmp_path / "dump.sql"
    dump.write_text("rows", "utf-8")
    digest = checksums.of(dump)
    (tmp_path / "dump.sql.sha256").write_text(f"{digest} *./dump.sql\n", "utf-8")
    assert checksums.compared(dump, digest)
    (tmp_path / "dump.sql.sha256").write_text("", "utf-8")
    with pytest.raises(Refused, match=r"does not name dump\.sql"):
        checksums.compared(dump, digest)


def test_a_copy_shares_nothing(tmp_path: Path) -> None:
    source, far, target = tmp_path / "source", tmp_path / "far", tmp_path / "copy"
    (far / "PG").mkdir(parents=True)
    (far / "PG" / "rows").write_text("rows", "utf-8")
    (source / "pg_tblspc").mkdir(parents=True)
    (source / "pg_tblspc" / "16384").symlink_to(far)
    (source / "pg_wal").symlink_to(far / "PG")
    (source / "empty").touch()
    target.mkdir()
    assert copied(source, target / "data", 2, lambda done: None) == 8
    link = target / "data" / "pg_tblspc" / "16384"
    assert link.resolve() == target / "tablespaces" / "16384"
    assert (link / "PG" / "rows").read_text("utf-8") == "rows"
    assert not (target / "data" / "pg_wal").is_symlink()
    assert (target / "data" / "empty").stat().st_size == 0
    shutil.rmtree(target)
    assert (far / "PG" / "rows").exists()


def test_a_link_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "source" / "pg_tblspc").mkdir(parents=True)
    (tmp_path / "source" / "pg_tblspc" / "1").symlink_to(tmp_path / "gone")
    (tmp_path / "copy").mkdir()
    with pytest.raises(FileNotFoundError):
        copied(tmp_path / "source", tmp_path / "copy" / "data", 1, lambda done: None)


@pytest.mark.parametrize("inside", ["", "base", "base/5"])
def test_nothing_is_made_in_the_files_of_a_server(tmp_path: Path, inside: str) -> None:
    data, space = tmp_path / "data", tmp_path / "space"
    (data / inside).mkdir(parents=True, exist_ok=True)
    (data / "PG_VERSION").write_text("18", "utf-8")
    (space / "PG_18_202506291" / inside).mkdir(parents=True)
    outside(tmp_path)
    for place in (data / inside, space, space / "PG_18_202506291" / inside):
        with pytest.raises(SetupError, match="holds the files of a server"):
            outside(place)


def test_room_is_looked_for_first(tmp_path: Path) -> None:
    with pytest.raises(NoRoom, match="the copy needs"), room(tmp_path, 1 << 60):
        pass
    with pytest.raises(SetupError, match="is no folder"), room(tmp_path / "none", 1):
        pass
