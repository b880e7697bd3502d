"""Rule 1, by git and by the ledger of a database."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psycopg
import pytest

from pgrehearse.errors import SetupError
from pgrehearse.migration.policy.all_checks import check
from pgrehearse.migration.policy.report import PolicyReport, PolicyRequest
from pgrehearse.migration.runner.runner import RunnerOptions, up
from pgrehearse.migration.trial.release import release
from pgrehearse.servers.process_environment import git_environment
from pgrehearse.text.migration_files import load
from pgrehearse.text.project import Project
from support.projects import commit, git

MIGRATION = "-- migrate:up\n\nCREATE TABLE {0} (body text);\n\n-- migrate:down\n\nDROP TABLE {0};\n"


def write(project: Project, name: str, table: str) -> Path:
    file = project.migrations / name
    file.write_text(MIGRATION.format(table))
    return file


@pytest.fixture
def branch(project: Project) -> Project:
    """A repository whose branch main has two migrations, and a branch that is checked out."""
    write(project, "0002_notes.sql", "notes")
    commit(project.root)
    git(project.root, "checkout", "-q", "-b", "change")
    return project


def lint(project: Project, **request: str) -> PolicyReport:
    return check(project, PolicyRequest(**request), None)  # type: ignore[arg-type]


def said(report: PolicyReport) -> list[tuple[str, int, str]]:
    return [(p.path.name, p.line, p.message) for p in report.problems]


def test_a_new_file_is_all_that_is_checked(branch: Project) -> None:
    write(branch, "0003_lists.sql", "lists")
    report = lint(branch, base="main")
    assert (report.checked, report.exempt, report.problems) == (["0003_lists.sql"], 2, [])


def test_an_edit_is_named_with_its_first_line(branch: Project) -> None:
    file = branch.migrations / "0002_notes.sql"
    file.write_text(file.read_text().replace("body text", "body text NOT NULL"))
    assert said(lint(branch, base="main")) == [
        ("0002_notes.sql", 3, "differs from main, where it may have been applied")
    ]
    commit(branch.root)
    assert len(lint(branch, base="main").problems) == 1


def test_a_hook_sees_the_same(branch: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In a linked worktree git gives its hooks GIT_DIR: then any folder is taken for the top of the files."""
    linked = Project.at(tmp_path / "linked")
    git(branch.root, "worktree", "add", "-q", "-b", "other", str(linked.root), "main")
    file = linked.migrations / "0002_notes.sql"
    file.write_text(file.read_text().replace("body text", "body text NOT NULL"))
    monkeypatch.setenv("GIT_DIR", git(linked.root, "rev-parse", "--absolute-git-dir").strip())
    assert said(lint(linked, base="main")) == [
        ("0002_notes.sql", 3, "differs from main, where it may have been applied")
    ]
    (tmp_path / "release").mkdir()
    assert [one.path.name for one in release(linked, "main", tmp_path / "release").migrations] == [
        "0001_start.sql",
        "0002_notes.sql",
    ]


SQL = "CREATE TABLE {0} (body text);\n"
#: Files of another tool that main has; one of the branch; what of it is checked, and what is said of it.
FOREIGN = {
    "below folders": ({"all/V1__a.sql": "a"}, "2026/V2__b.sql", ""),
    "late, below folders": ({"all/V1__a.sql": "a", "all/V3__c.sql": "c"}, "2026/V2__b.sql", "older than"),
    "a baseline that stands for files": ({"V1__a.sql": "a", "B1__all.sql": "x"}, "V2__b.sql", ""),
    "a baseline alone": ({"B5__all.sql": "a"}, "V6__b.sql", ""),
    "numbers": ({"2_a.up.sql": "a", "10_c.up.sql": "c"}, "11_b.up.sql", ""),
    "a late number": ({"2_a.up.sql": "a", "10_c.up.sql": "c"}, "3_b.up.sql", "older than"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_files_of_another_tool(project: Project, name: str) -> None:
    there, new, words = FOREIGN[name]
    for file in project.migrations.glob("*.sql"):
        file.unlink()
    for file, table in {**there, new: "b"}.items():
        if file == new:
            commit(project.root)
            git(project.root, "checkout", "-q", "-b", "change")
        (project.migrations / file).parent.mkdir(exist_ok=True)
        (project.migrations / file).write_text(SQL.format(table))
    report = lint(project, base="main")
    assert report.checked == [new]
    assert [words in one.message for one in report.problems] == [True] * bool(words)


def test_a_deleted_and_a_renamed_file(branch: Project) -> None:
    (branch.migrations / "0002_notes.sql").rename(branch.migrations / "0003_notes.sql")
    assert said(lint(branch, base="main")) == [
        ("0002_notes.sql", 0, "renamed to 0003_notes.sql, but main has it")
    ]
    (branch.migrations / "0003_notes.sql").unlink()
    assert said(lint(branch, base="main")) == [("0002_notes.sql", 0, "deleted, but main has it")]


def test_line_ends_of_a_checkout_are_no_edit(branch: Project) -> None:
    git(branch.root, "config", "core.autocrlf", "true")
    file = branch.migrations / "0002_notes.sql"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert lint(branch, base="main").problems == []


def test_what_main_got_meanwhile_is_not_deleted_here_but_overtakes(branch: Project) -> None:
    git(branch.root, "checkout", "-q", "main")
    write(branch, "0009_newer.sql", "newer")
    commit(branch.root)
    git(branch.root, "checkout", "-q", "change")
    assert lint(branch, base="main").problems == []
    write(branch, "0005_late.sql", "late")
    [problem] = lint(branch, base="main").problems
    assert (problem.path.name, problem.check) == ("0005_late.sql", "applied")
    assert "older than 0009, which main has" in problem.message


def test_a_base_that_git_does_not_know_is_refused(branch: Project) -> None:
    with pytest.raises(SetupError, match="no commit 'origin/main'") as error:
        lint(branch, base="origin/main")
    assert "fetch" in str(error.value)


def test_a_base_outside_any_repository_is_not_to_be_fetched(project: Project) -> None:
    with pytest.raises(SetupError, match="no repository") as error:
        lint(project, base="origin/main")
    assert "fetch" not in str(error.value)
    assert "--dsn" in str(error.value)


def test_without_git_or_ledger_the_rule_is_not_run(project: Project) -> None:
    assert "applied" in lint(project).not_run


def test_the_ledger_knows_an_edit_and_a_missing_file(project: Project, database: str) -> None:
    edited, gone = write(project, "0002_notes.sql", "notes"), write(project, "0003_lists.sql", "lists")
    list(up(database, load(project.migrations), options=RunnerOptions(), tell=lambda line: None))
    new = write(project, "0004_new.sql", "new")
    assert lint(project, conninfo=database).problems == []
    edited.write_text(edited.read_text().replace("body", "text"))
    gone.unlink()
    report = lint(project, conninfo=database)
    assert {(p.path.name, p.check) for p in report.problems} == {
        ("0002_notes.sql", "applied"),
        ("0003_*.sql", "applied"),
    }
    assert report.checked == [new.name]


def test_the_ledger_is_only_read(project: Project, database: str) -> None:
    lint(project, conninfo=database)
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'pgrehearse'").fetchone()
    assert row == (0,)


def test_our_git_keeps_the_settings_of_the_shell_and_says_no_hint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "init.defaultBranch")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "of-the-shell")
    environment = git_environment()
    said = ""
    for words in (("init",), ("symbolic-ref", "--short", "HEAD"), ("log",)):
        done = subprocess.run(
            ["git", *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        said += done.stdout + done.stderr
    assert "of-the-shell\n" in said
    assert "does not have any commits yet" in said
    assert "hint" not in said
