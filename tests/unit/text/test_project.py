"""Where a project keeps things."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError, SetupError
from pgrehearse.text.project import Project


def test_nothing_but_a_folder(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    project = Project.at(tmp_path)
    assert project.documents == (tmp_path / "docs", tmp_path / "runbooks")
    assert (project.migrations, project.seed) == (tmp_path / "db/migrations", tmp_path / "db/seed.sql")
    assert project.records == tmp_path / ".pgrehearse"
    assert list(project.markdown()) == []


def test_the_table(tmp_path: Path) -> None:
    table = '[tool.pgrehearse]\ndocuments = ["a", "b.md"]\nseed = "s.sql"\n'
    (tmp_path / "pyproject.toml").write_text(table, "utf-8")
    (tmp_path / "a" / "deep").mkdir(parents=True)
    project = Project.find(tmp_path / "a" / "deep")
    assert (project.root, project.seed) == (tmp_path.resolve(), tmp_path.resolve() / "s.sql")
    assert project.documents == (project.root / "a", project.root / "b.md")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.pgrehearse]\ndocument = ['docs']\n", "unknown key 'document'"),
        ("[tool.pgrehearse]\ndocuments = 'docs'\n", "is not a list"),
        ("[tool\n", "not TOML"),
        ("[tool]\npgrehearse = 1\n", "is not a table"),
        ("tool = 1\n", "is not a table"),
        ("[tool.pgrehearse]\nseed = ['a']\n", "seed is not text"),
    ],
)
def test_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")
    with pytest.raises(SetupError, match=message) as caught:
        Project.at(tmp_path)
    assert caught.value.path == tmp_path / "pyproject.toml"
    assert caught.value.next_step


def test_markdown_files(tmp_path: Path) -> None:
    for name in ("docs/b.md", "docs/a/c.md", "docs/.hidden/d.md", "docs/.e.md", "docs/f.txt", "g.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", "utf-8")
    project = Project.at(tmp_path)
    assert [project.relative(p) for p in project.markdown()] == ["docs/a/c.md", "docs/b.md"]
    assert list(project.markdown((tmp_path / "g.md",))) == [tmp_path / "g.md"]
    with pytest.raises(DocumentError, match="no such file or folder"):
        list(project.markdown((tmp_path / "none",)))


def test_a_path_outside_stays_absolute(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    project = Project.at(tmp_path / "inside")
    assert project.relative(tmp_path / "a.md") == (tmp_path / "a.md").as_posix()
