"""Every spelling of a migration file means the same to us and to the real dbmate, or is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pgrehearse.errors import DocumentError, ExpectationError
from pgrehearse.execution.databases import Databases
from pgrehearse.migration.runner import runner
from pgrehearse.migration.trial.dbmate import Dbmate
from pgrehearse.servers import Server
from pgrehearse.text.front_matter import Database
from pgrehearse.text.migration_files import load
from pgrehearse.text.project import Project
from support.spellings import REFUSED, STRICTER, TAKEN


@pytest.fixture
def empty(server: Server, tmp_path: Path) -> Iterator[Callable[[], str]]:
    (tmp_path / "pyproject.toml").write_text("")
    databases = Databases(server, Project.at(tmp_path))
    yield lambda: server.dsn(databases.fresh(Database(empty=True), "spelling"))
    databases.close()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    folder = tmp_path / "migrations"

    def written(text: str) -> Path:
        folder.mkdir(exist_ok=True)
        (folder / "1_a.sql").write_bytes(text.encode())
        return folder

    return written


def tables(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as connection:
        query = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        return sorted(name for (name,) in connection.execute(query) if name != "schema_migrations")


def by_dbmate(real: Dbmate, dsn: str, folder: Path) -> list[list[str]]:
    """The tables after up and after down."""
    found = []
    for command in ("up", "rollback"):
        real.run(dsn, folder, command)
        found.append(tables(dsn))
    return found


def by_us(dsn: str, folder: Path) -> list[list[str]]:
    found = []
    for go in (runner.up, runner.down):
        for _ in go(dsn, load(folder)):
            pass
        found.append(tables(dsn))
    return found


@pytest.mark.parametrize("name", TAKEN)
def test_both_take_it(
    name: str, real: Dbmate, empty: Callable[[], str], write: Callable[[str], Path]
) -> None:
    folder = write(TAKEN[name])
    wanted = by_dbmate(real, empty(), folder)
    assert by_us(empty(), folder) == wanted
    assert wanted == [[] if name == "an empty part" else ["a"], []]


@pytest.mark.parametrize("name", REFUSED)
def test_both_refuse_it(
    name: str, real: Dbmate, empty: Callable[[], str], write: Callable[[str], Path]
) -> None:
    folder = write(REFUSED[name])
    with pytest.raises(ExpectationError):
        by_dbmate(real, empty(), folder)
    with pytest.raises(DocumentError):
        by_us(empty(), folder)


@pytest.mark.parametrize("name", STRICTER)
def test_dbmate_takes_what_we_refuse(
    name: str, real: Dbmate, empty: Callable[[], str], write: Callable[[str], Path]
) -> None:
    folder, dsn = write(STRICTER[name]), empty()
    real.run(dsn, folder, "up")
    assert tables(dsn)
    with pytest.raises(DocumentError):
        by_us(empty(), folder)
