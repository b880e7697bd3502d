"""What a branch makes of files that were applied: what is part of the branch does not hide it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pgrehearse.errors import SetupError
from pgrehearse.migration.policy.history import against_base, base
from pgrehearse.text import migration_files

FILE = "20260101000000_a.sql"
APPLIED = "-- migrate:up\n-- $Id$\nCREATE TABLE t (a int);\n-- migrate:down\nDROP TABLE t;\n"


@pytest.fixture
def branch(tmp_path: Path) -> Path:
    """A repository with one applied migration, on a branch of its own."""
    (tmp_path / FILE).write_text(APPLIED)
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path)
    git(tmp_path, "switch", "-qc", "change")
    return tmp_path


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=x", "-c", "user.email=x", "-c", "core.autocrlf=false")
    done = subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "x", "--allow-empty")


def said(folder: Path) -> list[str]:
    migrations = migration_files.load(folder)
    return [finding.message for finding in against_base(folder, base(folder, "main"), migrations)]


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ("*.sql ident", APPLIED.replace("$Id$", "$Id: another $")),
        (
            "*.sql working-tree-encoding=UTF-7",
            APPLIED.replace("\nCREATE", "+AAo-CREATE").replace(";", "+ADs-"),
        ),
        ("", APPLIED.replace("a int", "b int")),
    ],
)
def test_attributes_of_the_branch_hide_no_edit(branch: Path, attributes: str, text: str) -> None:
    (branch / ".gitattributes").write_text(f"{attributes}\n")
    (branch / FILE).write_text(text, newline="")
    assert said(branch) == ["differs from main, where it may have been applied"]
    commit(branch)
    assert len(said(branch)) == 1


def test_line_ends_of_a_checkout_are_no_edit(branch: Path) -> None:
    (branch / FILE).write_text(APPLIED, newline="\r\n")
    assert said(branch) == []


def test_neither_a_replaced_object_nor_a_graft_stands_in_for_the_base(branch: Path) -> None:
    was = git(branch, "rev-parse", f"main:{FILE}")
    (branch / FILE).write_text(APPLIED.replace("a int", "b int"))
    commit(branch)
    git(branch, "replace", was, git(branch, "rev-parse", f"HEAD:{FILE}"))
    git(branch, "replace", git(branch, "rev-parse", "main^{tree}"), git(branch, "rev-parse", "HEAD^{tree}"))
    assert len(said(branch)) == 1
    git(branch, "switch", "-q", "--orphan", "alone")
    (branch / FILE).write_text(APPLIED)
    (branch / "other").touch()
    commit(branch)
    info = branch / ".git" / "info"
    info.mkdir(exist_ok=True)
    heads = git(branch, "rev-parse", "HEAD", "main").split()
    (info / "grafts").write_text(f"{' '.join(heads)}\n")
    with pytest.raises(SetupError, match="no common commit"):
        said(branch)
