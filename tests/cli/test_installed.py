"""The built package, alone in an empty folder: its runbooks are there by name, a project's own come first."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import ROOT
from support.databases import Database
from support.processes import Ended, call, clean_environment

SETTINGS = ("--set", "table=item", "--set", "index=item_name", "--set", "columns=name", "--set", "comment=x")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder to import the package from, as its wheel has it."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    yield folder / "site"


def pgrehearse(installed: Path, cwd: Path, *arguments: str) -> Ended:
    command = (sys.executable, "-m", "pgrehearse", *arguments)
    return call(command, cwd, clean_environment(PYTHONPATH=str(installed)))


def test_the_package_under_test_is_the_installed_one(installed: Path, tmp_path: Path) -> None:
    code = "import pgrehearse, pathlib; print(pathlib.Path(pgrehearse.__file__).parent)"
    ended = call((sys.executable, "-c", code), tmp_path, clean_environment(PYTHONPATH=str(installed)))
    assert Path(ended.out.strip()) == installed / "pgrehearse"


def test_every_runbook_of_the_handbook_is_listed_and_shown(installed: Path, tmp_path: Path) -> None:
    ended = pgrehearse(installed, tmp_path, "list")
    assert ended.status == 0, ended.said
    listed = {line.split()[0] for line in ended.out.splitlines()[1:-1]}
    assert listed == {path.stem for path in (ROOT / "runbooks").glob("*.md")}
    assert " pgrehearse" in ended.out.splitlines()[1]
    shown = pgrehearse(installed, tmp_path, "show", "index-create")
    assert shown.status == 0, shown.said
    assert "  columns: " in shown.out
    assert "Preflight: " in shown.out
    text = pgrehearse(installed, tmp_path, "show", "index-create", "--text")
    assert text.out == (ROOT / "runbooks" / "index-create.md").read_text("utf-8")


def test_it_is_run_and_exported_by_name(installed: Path, tmp_path: Path, database: str) -> None:
    staging = Database(database)
    staging.mark("staging")
    staging.execute("CREATE TABLE item (id int PRIMARY KEY, name text)")
    dry = pgrehearse(installed, tmp_path, "run", "index-create", "--dry-run", *SETTINGS)
    assert (dry.status, "INDEX CONCURRENTLY" in dry.out) == (0, True), dry.said
    ended = pgrehearse(installed, tmp_path, "run", "index-create", "--yes", "--dsn", staging.dsn, *SETTINGS)
    assert ended.status == 0, ended.said
    assert staging.one("SELECT to_regclass('item_name') IS NOT NULL")
    assert list((tmp_path / ".pgrehearse" / "runs").glob("*.jsonl"))
    for form, part in {
        "sql": "-- Made from pgrehearse's runbook index-create",
        "ipynb": '"nbformat"',
    }.items():
        done = pgrehearse(installed, tmp_path, "export", "index-create", "--to", form)
        assert done.status == 0, done.said
        assert part in (tmp_path / f"index-create.{form}").read_text("utf-8")


def test_a_copy_runs_without_the_snippets_beside_it(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text((ROOT / "runbooks" / "index-create.md").read_text("utf-8"), "utf-8")
    ended = pgrehearse(installed, tmp_path, "run", "mine.md", "--dry-run", *SETTINGS)
    assert ended.status == 0, ended.said


def test_a_project_s_own_comes_first(installed: Path, tmp_path: Path) -> None:
    own = (ROOT / "runbooks" / "index-create.md").read_text("utf-8")
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "index-create.md").write_text(
        own.replace("## Apply", "## Apply\n\nOurs.\n"), "utf-8"
    )
    shown = pgrehearse(installed, tmp_path, "show", "index-create", "--text")
    assert "\nOurs.\n" in shown.out
    listed = pgrehearse(installed, tmp_path, "list").out.splitlines()
    (line,) = [line for line in listed if line.startswith("index-create ")]
    assert line.endswith("this project")
    assert sum(line.endswith("this project") for line in listed) == 1


def test_a_snippet_of_the_same_name_is_the_project_s_own(installed: Path, tmp_path: Path) -> None:
    """And the package's runbooks go by their own."""
    (tmp_path / "snippets" / "sql").mkdir(parents=True)
    (tmp_path / "snippets" / "sql" / "no-old-transactions.sql").write_text("SELECT 1;\n", "utf-8")
    ended = pgrehearse(installed, tmp_path, "run", "index-create", "--dry-run", *SETTINGS)
    assert ended.status == 0, ended.said
    (tmp_path / "mine.md").write_text((ROOT / "runbooks" / "index-create.md").read_text("utf-8"), "utf-8")
    ended = pgrehearse(installed, tmp_path, "run", "mine.md", "--dry-run", *SETTINGS)
    assert (ended.status, "differs from the snippet" in ended.err) == (65, True), ended.said


def test_a_name_that_is_none_is_told_with_the_nearest(installed: Path, tmp_path: Path) -> None:
    ended = pgrehearse(installed, tmp_path, "run", "index-creat", "--dry-run")
    assert (ended.status, "did you mean 'index-create'?" in ended.err) == (65, True), ended.said
