"""Each file of a folder is read, or named with the reason; where nothing is read, that is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.text import migration_files
from pgrehearse.text.layouts import load, unjudged

SQL = "CREATE TABLE a (n int);\n"
HEAD = "--liquibase formatted sql\n"
#: Folder -> what is read, and words that the notes name each of the others with.
FOLDERS: dict[str, tuple[dict[str, str], list[str], dict[str, str]]] = {
    "flyway": (
        {
            "common/V1__a.sql": SQL,
            "2026/V2__b.sql": SQL,
            "R__view.sql": SQL,
            "U2__b.sql": SQL,
            "beforeMigrate.sql": SQL,
            "afterMigrate__grants.sql": SQL,
            "V3__c.sql": SQL,
            "V3__c.sql.conf": "shouldExecute=false\n",
            "V4__D.java": "x",
            "V5__e.SQL": SQL,
        },
        ["common/V1__a.sql", "2026/V2__b.sql"],
        {
            "R__view.sql": "at each change",
            "beforeMigrate.sql": "what it sets is not seen",
            "afterMigrate__grants.sql": "what it sets is not seen",
            "V3__c.sql": "shouldExecute is false",
            "V4__D.java": "no SQL",
            "V5__e.SQL": "no name that ends in .sql",
        },
    ),
    "a baseline with what it stands for": (
        {"V1__a.sql": SQL, "B1__all.sql": SQL, "V2__b.sql": SQL, "B2__all.sql": SQL},
        ["V1__a.sql", "V2__b.sql"],
        {"B1__all.sql": "stands for all", "B2__all.sql": "stands for all"},
    ),
    "a baseline alone": (
        {"B5__all.sql": SQL, "B10__all.sql": SQL, "V11__b.sql": SQL},
        ["B10__all.sql", "V11__b.sql"],
        {"B5__all.sql": "stands for all"},
    ),
    "a checkpoint": (
        {"1_a.sql": SQL, "2_b.sql": f"-- atlas:checkpoint\n\n{SQL}", "3.sql": SQL, "atlas.sum": "h1:"},
        ["1_a.sql", "3.sql"],
        {"2_b.sql": "stands for all"},
    ),
    "a checkpoint alone": (
        {"2_b.sql": f"-- atlas:checkpoint\n\n{SQL}", "3.sql": SQL, "atlas.sum": "h1:"},
        ["2_b.sql", "3.sql"],
        {},
    ),
    "no checkpoint without Atlas": (
        {"1_a.sql": SQL, "2_b.sql": f"-- atlas:checkpoint\n\n{SQL}"},
        ["1_a.sql", "2_b.sql"],
        {},
    ),
    "drizzle": (
        {"0000_a.sql": SQL, "0001_b.sql": SQL, "meta/_journal.json": '{"entries": [{"tag": "0000_a"}]}'},
        ["0000_a.sql"],
        {"0001_b.sql": "does not apply it"},
    ),
    "liquibase": (
        {"1_a.sql": HEAD + SQL, "changelog.yaml": "databaseChangeLog: []", "other.json": "{}"},
        ["1_a.sql"],
        {"changelog.yaml": "changelog of Liquibase"},
    ),
    "golang-migrate": (
        {"2_b.up.sql": SQL, "10_c.up.sql": SQL, "3_d.up.pgsql": SQL, "README.md": "x", "1_a.sql.gz": "x"},
        ["2_b.up.sql", "10_c.up.sql"],
        {"3_d.up.pgsql": "no name that ends in .sql", "1_a.sql.gz": "no name that ends in .sql"},
    ),
    "numbers of other lengths": (
        {"2_b.sql": f"-- +goose Up\n{SQL}", "10_c.sql": f"-- +goose Up\n{SQL}"},
        ["2_b.sql", "10_c.sql"],
        {},
    ),
    "prisma": (
        {"0_init/migration.sql": SQL, "1_b/migration.sql": SQL, "migration_lock.toml": "x"},
        ["0_init/migration.sql", "1_b/migration.sql"],
        {},
    ),
    "dbmate": (
        {"1_a.sql": f"-- migrate:up\n{SQL}-- migrate:down\n", "later/2_b.sql": SQL},
        ["1_a.sql"],
        {"later/2_b.sql": "in a folder below"},
    ),
}


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize("name", FOLDERS)
def test_each_file_is_read_or_named(tmp_path: Path, name: str) -> None:
    files, read, named = FOLDERS[name]
    found = load(written(tmp_path, files))
    assert [one.label for one in found] == read
    said = {}
    for note in unjudged(tmp_path, found):
        reason, _, names = note.removeprefix("not judged, ").partition(": ")
        said |= dict.fromkeys(names.partition("; ")[0].split(", "), reason)
    assert set(said) == set(named)
    assert [named[file] in reason for file, reason in said.items()] == [True] * len(named)


@pytest.mark.parametrize(
    "files",
    [
        {"1_a.up.pgsql": SQL},
        {"1_a.sql.gz": "x"},
        {"V1__a.SQL": SQL},
        {"R__view.sql": SQL},
        {"1_a.down.sql": SQL},
        {"shop/migrations/0001_initial.py": "x", "shop/migrations/__init__.py": ""},
        {"0000_a.sql": SQL, "meta/_journal.json": '{"entries": []}'},
        {"changes/db.changelog.xml": "<databaseChangeLog/>"},
    ],
    ids=lambda files: next(iter(files)),
)
def test_a_folder_of_which_nothing_is_read_is_refused(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(DocumentError, match=r"nothing of this folder is read|another language than SQL"):
        load(written(tmp_path, files))


@pytest.mark.parametrize("name", ["1_a/migration.sql", "1_a/up.sql", "shop/V1__a.sql"])
def test_who_wants_the_layout_of_dbmate_sees_that_another_is_here(tmp_path: Path, name: str) -> None:
    with pytest.raises(DocumentError, match="nothing of this folder is read here"):
        migration_files.load(written(tmp_path, {name: SQL}))


def test_what_programs_keep_for_themselves_is_no_migration(tmp_path: Path) -> None:
    files = {"node_modules/x/1_a.sql": SQL, ".git/1_a.sql": SQL, "__pycache__/1_a.py": "x"}
    assert migration_files.load(written(tmp_path, files)) == []


def test_a_list_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no list of migrations"):
        load(written(tmp_path, {"0000_a.sql": SQL, "meta/_journal.json": "["}))
