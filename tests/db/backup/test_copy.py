"""A copy for as long as a command runs, at a place in history: to read back what a migration took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pgrehearse.backup import take as taking
from pgrehearse.backup.base_backup import BaseBackup
from support.archives import Archive, archiving, working
from support.databases import execute
from support.majors import RECENT
from support.processes import PGREHEARSE, Ended, call, clean_environment


@dataclass
class Damaged:
    """A backup with an archive; a restore point and a transaction later, notes were dropped."""

    archive: Archive
    backup: Path
    before: str
    transaction: str

    def copy(self, *words: str, until: str = "", place: Path | None = None) -> Ended:
        options = ["--option", f"archive={self.archive.folder}/archive", "--option", f"until={until}"]
        return self.run(*(options if until else ()), str(place or self.backup), *words)

    def run(self, *words: str) -> Ended:
        where = ["--dsn", self.archive.dsn, "--environment", "production", "--into", str(self.archive.folder)]
        return call((*PGREHEARSE, "backup", "copy", *where, *words), self.archive.folder, clean_environment())


@pytest.fixture(scope="module")
def damaged() -> Iterator[Damaged]:
    with archiving(RECENT, "cp %p {folder}/archive/%f") as archive:
        (archive.folder / "archive").mkdir()
        (archive.folder / "archive").chmod(0o777)
        backup = archive.folder / "monday"
        taking.take(BaseBackup(str(backup), archive.look(), working(archive.folder)))
        execute(archive.dsn, "INSERT INTO orders VALUES (3001, 'the last before')")
        ((before,),) = execute(archive.dsn, "SELECT pg_create_restore_point('before_migration')::text")
        changed = execute(archive.dsn, "UPDATE orders SET note = NULL RETURNING pg_current_xact_id()::text")
        archive.switch()
        yield Damaged(archive, backup, before, changed[0][0])


_NOTES = ("psql", "-X", "-A", "-t", "-c", "SELECT count(*), count(note), max(id) FROM orders")


@pytest.mark.parametrize("until", ["name:before_migration", "lsn", "xid"])
def test_just_before_the_migration_everything_is_there(damaged: Damaged, until: str) -> None:
    until = {"lsn": f"lsn:{damaged.before}", "xid": f"xid:{damaged.transaction}"}.get(until, until)
    ended = damaged.copy(*_NOTES, until=until)
    assert (ended.status, ended.out.strip()) == (0, "3001|3001|3001"), ended.said


def test_at_the_end_of_the_archive_it_is_as_the_original(damaged: Damaged) -> None:
    ended = damaged.copy(*_NOTES, until="end")
    assert (ended.status, ended.out.strip()) == (0, "3001|0|3001"), ended.said


def test_the_backup_alone_is_from_when_it_was_taken(damaged: Damaged) -> None:
    ended = damaged.copy(*_NOTES)
    assert (ended.status, ended.out.strip()) == (0, "3000|3000|3000"), ended.said


def test_the_status_is_that_of_the_command_and_nothing_is_left(damaged: Damaged) -> None:
    ended = damaged.copy("sh", "-c", "exit 7")
    assert ended.status == 7, ended.said
    assert not list(damaged.archive.folder.glob("pgr-*"))


@pytest.mark.parametrize(
    ("until", "said"),
    [
        ("name:before_migratoin", "before configured recovery target was reached"),
        ("lsn:0/1000000", "requested recovery stop point is before consistent recovery point"),
        ("soon", "until=soon is no place to stop"),
        ("xid:", "until=xid: is no place to stop"),
    ],
)
def test_a_place_that_is_not_reached_is_refused_by_name(damaged: Damaged, until: str, said: str) -> None:
    ended = damaged.copy("true", until=until)
    assert ended.status != 0 and said in ended.err, ended.said


def test_a_place_in_history_needs_the_archive(damaged: Damaged) -> None:
    ended = damaged.run("--option", "until=end", str(damaged.backup), "true")
    assert ended.status != 0 and "--option archive=FOLDER" in ended.err, ended.said


def test_what_cannot_be_run_is_named(damaged: Damaged) -> None:
    ended = damaged.copy("no-such-command")
    assert ended.status == 69 and "no-such-command cannot be run" in ended.err, ended.said
