"""What a person types, found: files first, then names, dots and all."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.text.lookup import find, project_of
from pgrehearse.text.project import Project
from support.projects import project_at, write


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    files = {f"runbooks/{name}.md": "# x\n" for name in ("enum-add", "v1.2-upgrade", "größe")}
    monkeypatch.chdir(tmp_path)
    return project_at(tmp_path, {**files, "enum-add": "a file of that name", "docs/a.md": "# a\n"})


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("docs/a.md", "docs/a.md"),
        ("runbooks/enum-add.md", "runbooks/enum-add.md"),
        ("v1.2-upgrade", "runbooks/v1.2-upgrade.md"),
        ("größe", "runbooks/größe.md"),
        ("enum-add", "enum-add"),
        ("enum-add.md", "runbooks/enum-add.md"),
    ],
)
def test_found(project: Project, word: str, found: str) -> None:
    assert find(project, word).resolve() == project.root / found


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("enum-ad", "did you mean 'enum-add'?"),
        ("v1.2-upgrad", "did you mean 'v1.2-upgrade'?"),
        ("zzz", "pgrehearse list names those there are"),
        ("", "pgrehearse list"),
        ("docs", "pgrehearse list"),
    ],
)
def test_what_is_not_there_is_told_with_the_nearest(project: Project, word: str, hint: str) -> None:
    with pytest.raises(DocumentError) as caught:
        find(project, word)
    assert hint in str(caught.value.next_step)


def test_only_the_project_s_own_are_looked_at_if_so_asked(project: Project) -> None:
    with pytest.raises(DocumentError) as caught:
        find(project, "zzz", own=True)
    assert caught.value.next_step == "known: enum-add, größe, v1.2-upgrade"
    with pytest.raises(DocumentError):
        find(project, "index-create", own=True)
    assert find(project, "index-create").is_file()


def test_a_project_without_runbooks(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no runbook 'x'") as caught:
        find(project_at(tmp_path), "x", own=True)
    assert caught.value.next_step == "known: none"


def test_the_project_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = project_at(tmp_path / "inner")
    write(inner.root, "docs/a.md", "# a\n")
    plain = write(tmp_path, "plain/docs/a.md", "# a\n")
    monkeypatch.chdir(tmp_path / "plain")
    assert project_of(inner.root / "docs" / "a.md").root == inner.root
    assert project_of(plain).root == tmp_path / "plain", "the folder one stands in"
    assert project_of(None).root == project_of(Path("none.md")).root
