"""Folders of migrations that other tools apply: which files, in which order, and what of them is sent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.text.layouts import load, unjudged, version_of
from pgrehearse.text.migration_files import statements

SQL = "CREATE TABLE a (n int);\nCREATE TABLE b (n int);\n"
DOWN = "DROP TABLE a;\n"
GOOSE = f"-- +goose Up\n{SQL}-- +goose Down\n{DOWN}"
LAYOUTS: dict[str, tuple[dict[str, str], list[str]]] = {
    "golang-migrate": (
        {"2_b.up.sql": SQL, "2_b.down.sql": DOWN, "10_c.up.sql": SQL, "10_c.down.sql": DOWN},
        ["2_b.up.sql", "10_c.up.sql"],
    ),
    "goose": ({"00001_a.sql": GOOSE, "00002_b.sql": GOOSE}, ["00001_a.sql", "00002_b.sql"]),
    "numbers": ({"20260101_a.sql": SQL, "20260102_b.sql": SQL}, ["20260101_a.sql", "20260102_b.sql"]),
    "flyway": (
        {"V2__b.sql": SQL, "V1.10__a.sql": SQL, "V1.9__z.sql": SQL, "R__view.sql": SQL, "U2__b.sql": DOWN},
        ["V1.9__z.sql", "V1.10__a.sql", "V2__b.sql"],
    ),
    "prisma": (
        {"20260101_a/migration.sql": SQL, "20260102_b/migration.sql": SQL},
        ["20260101_a/migration.sql", "20260102_b/migration.sql"],
    ),
    "diesel": (
        {
            "2026-01-01-000000_a/up.sql": SQL,
            "2026-01-01-000000_a/down.sql": DOWN,
            "00000000000000_s/up.sql": SQL,
        },
        ["00000000000000_s/up.sql", "2026-01-01-000000_a/up.sql"],
    ),
    "dbmate": (
        {"2_b.sql": f"-- migrate:up\n{SQL}-- migrate:down\n{DOWN}"},
        ["2_b.sql"],
    ),
}


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize("layout", LAYOUTS)
def test_up_parts_in_order(tmp_path: Path, layout: str) -> None:
    files, names = LAYOUTS[layout]
    found = load(written(tmp_path, files))
    assert [one.label for one in found] == names
    assert [one.version for one in found] == sorted(one.version for one in found)
    for one in found:
        assert "CREATE TABLE b" in one.up.sql
        assert "DROP" not in one.up.sql
        assert one.up.transaction
    assert all(one.foreign for one in found) == (layout != "dbmate")


@pytest.mark.parametrize(
    ("text", "transaction", "lines"),
    [
        ("BEGIN;\nALTER TABLE a ADD b int;\nCOMMIT;\n", True, (2, "ALTER TABLE a ADD b int")),
        ("-- why\nbegin ;\n\nSELECT 1;\nCOMMIT\n", True, (4, "SELECT 1")),
        ("CREATE INDEX CONCURRENTLY i ON a (n);\n", False, (1, "CREATE INDEX")),
        ("SELECT 1;\n", True, (1, "SELECT 1")),
    ],
)
def test_a_transaction_of_its_own(
    tmp_path: Path, text: str, transaction: bool, lines: tuple[int, str]
) -> None:
    (one,) = load(written(tmp_path, {"1_a.up.sql": text}))
    assert one.up.transaction is transaction
    assert one.up.sql.split("\n")[lines[0] - 1].startswith(lines[1])
    assert "COMMIT" not in one.up.sql


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN;\nSELECT 1;\nCOMMIT;\nBEGIN;\nSELECT 2;\nCOMMIT;\n",
        "SELECT 1;\nBEGIN;\nSELECT 2;\nCOMMIT;\n",
        "START TRANSACTION;\nSELECT 1;\nROLLBACK;\nSELECT 2;\n",
    ],
)
def test_transactions_of_its_own_are_sent_as_they_stand(tmp_path: Path, text: str) -> None:
    (one,) = load(written(tmp_path, {"1_a.up.sql": text}))
    assert not one.up.transaction
    assert one.up.sql == text
    assert len(statements(one, one.up)) == text.count(";")


def test_the_runner_sends_no_transaction_of_a_file(tmp_path: Path) -> None:
    text = "-- migrate:up transaction:false\nBEGIN;\nSELECT 1;\nCOMMIT;\n-- migrate:down\n"
    (one,) = load(written(tmp_path, {"1_a.sql": text}))
    with pytest.raises(DocumentError, match="begins and ends"):
        statements(one, one.up)


@pytest.mark.parametrize("name", ["a.sql", "folder/a.sql", "V__a.sql", "_1.sql"])
def test_what_has_no_version_is_refused_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(DocumentError, match="no migration"):
        load(written(tmp_path, {"1_a.up.sql": SQL, name: SQL}))


def test_one_version_once(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="same version"):
        load(written(tmp_path, {"1_a.up.sql": SQL, "01_b.up.sql": SQL}))


@pytest.mark.parametrize(
    "name",
    [
        "20260101_a.rb",
        "0001_a.py",
        "ae1027a6acf_a.py",
        "1_a.mjs",
        "00001_a.go",
        "V1__A.java",
        "db.changelog.xml",
    ],
)
def test_a_folder_of_programs_is_no_folder_without_migrations(tmp_path: Path, name: str) -> None:
    with pytest.raises(DocumentError, match="another language than SQL"):
        load(written(tmp_path, {name: "x", "README.md": "x"}))


def test_an_empty_folder_is_one(tmp_path: Path) -> None:
    assert load(written(tmp_path, {"README.md": "x", ".gitkeep": ""})) == []


def test_programs_beside_sql_are_named(tmp_path: Path) -> None:
    files = {
        "1_a.up.sql": SQL,
        "2_b.go": "x",
        "V3__c.java": "x",
        "helper.js": "x",
        "meta/_journal.json": "{}",
    }
    folder = written(tmp_path, files)
    (note,) = unjudged(folder, load(folder))
    assert note == "not judged, no SQL: 2_b.go, V3__c.java; try xray FILE with what they send"


FORMATTED = "--liquibase formatted sql\n\n"


@pytest.mark.parametrize(
    "mark", ["--changeset ann:1", "-- changeset ann:a-1 labels:x", "--CHANGESET ann:1 dbms:postgresql"]
)
def test_changesets_are_transactions(tmp_path: Path, mark: str) -> None:
    text = (
        f"{FORMATTED}{mark}\nALTER TABLE a ADD c int\n\n-- Changeset b:2 runInTransaction:false\n"
        "CREATE INDEX CONCURRENTLY i ON a (c);\n--changeset b:3\nALTER TABLE a\n  ADD d int;\n"
        "--rollback SELECT 9;\n"
    )
    (one,) = load(written(tmp_path, {"1_a.sql": text}))
    sent = statements(one, one.up)
    assert [(each.sql.split()[0], each.line) for each in sent] == [
        ("BEGIN", 3),
        ("ALTER", 4),
        ("COMMIT", 6),
        ("CREATE", 7),
        ("BEGIN", 8),
        ("ALTER", 9),
        ("COMMIT", 12),
    ]


@pytest.mark.parametrize(("said", "transaction"), [("", True), (" runInTransaction:false", False)])
def test_one_changeset(tmp_path: Path, said: str, transaction: bool) -> None:
    (one,) = load(written(tmp_path, {"1_a.sql": f"{FORMATTED}--changeset ann:1{said}\nSELECT 1;\n"}))
    assert one.up.transaction is transaction


@pytest.mark.parametrize(
    "layout", [("0001_b.sql", "meta/_journal.json"), ("2_b/migration.sql", "2_b/snapshot.json")]
)
def test_drizzle_has_no_way_out_of_its_transaction(tmp_path: Path, layout: tuple[str, str]) -> None:
    name, beside = layout
    build = "CREATE INDEX CONCURRENTLY i ON a (n);"
    (one,) = load(written(tmp_path, {name: build, beside: "{}"}))
    with pytest.raises(DocumentError, match="refuses a transaction") as caught:
        statements(one, one.up)
    assert "COMMIT;" in str(caught.value.next_step)
    (tmp_path / name).write_text(
        f"COMMIT;\n--> statement-breakpoint\n{build}\n--> statement-breakpoint\nBEGIN;"
    )
    (one,) = load(tmp_path)
    sent = statements(one, one.up)
    assert [(each.sql.split()[0], each.line) for each in sent] == [
        ("BEGIN", 1),
        ("COMMIT", 1),
        ("CREATE", 3),
        ("BEGIN", 5),
        ("COMMIT", 6),
    ]


@pytest.mark.parametrize(
    "text", ["BEGIN;\nSELECT 1;\nCOMMIT;\n", "-- why\nSTART TRANSACTION;\nSELECT 1;\nEND;\n"]
)
def test_a_file_of_drizzle_with_a_transaction_of_its_own(tmp_path: Path, text: str) -> None:
    (one,) = load(written(tmp_path, {"0001_b.sql": text, "meta/_journal.json": "{}"}))
    assert [each.sql.split("\n")[-1] for each in statements(one, one.up)] == ["SELECT 1"]


@pytest.mark.parametrize("name", ["1_a.down.sql", "a/down.sql", "R__a.sql", "U1__a.sql", "README.md"])
def test_what_is_beside(name: str) -> None:
    assert version_of(name) is None


def test_a_pipe_among_the_files_of_another_tool_is_refused_and_nobody_waits(tmp_path: Path) -> None:
    (tmp_path / "1_a.up.sql").write_text(SQL)
    os.mkfifo(tmp_path / "2_b.up.sql")
    read = load(tmp_path)
    assert [one.refused is None for one in read] == [True, False]
    assert "a pipe or a device" in str(read[1].refused)


def test_a_file_that_cannot_be_read_is_another_one_when_it_is_changed(tmp_path: Path) -> None:
    digests = []
    for content in (b"a\0b", b"a\0c", b"\xff"):
        (tmp_path / "1_a.up.sql").write_bytes(content)
        digests.append(load(tmp_path)[0].sha256)
    assert len(set(digests)) == 3
