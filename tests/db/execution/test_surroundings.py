"""A record is proof of a text with its surroundings: what changes one of them makes it stale."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError, PgRehearseError
from pgrehearse.execution.rehearser import Rehearser
from pgrehearse.site.content.published import read
from pgrehearse.text.project import Project
from support.majors import TEST_MAJOR
from support.projects import fence, write, write_document

TEXT = fence("SELECT count(*) FROM items;"), fence("SELECT 1 AS one;", 'snippet="one"')


def refused(root: Path, name: str = "a.md") -> str:
    """Why the document would not be published; empty if it would be."""
    try:
        read(Project.at(root), root / "docs" / name).require_proof()
    except DocumentError as error:
        return str(error)
    return ""


def add(name: str, text: str) -> Callable[[Path], object]:
    return lambda root: write(root, name, text)


@pytest.mark.parametrize(
    "change",
    [
        add("db/seed.sql", "INSERT INTO items SELECT 1;\n"),
        add("db/migrations/1_a.sql", "-- migrate:up\nCREATE TABLE items (n bigint);\n"),
        add("db/migrations/2_b.sql", "-- migrate:up\nCREATE TABLE more (n int);\n"),
        lambda root: (root / "db/migrations/1_a.sql").rename(root / "db/migrations/3_a.sql"),
        lambda root: (root / "db/seed.sql").unlink(),
        add("snippets/sql/one.sql", "SELECT 2 AS one;\n"),
        add("pyproject.toml", '[tool.pgrehearse]\nseed = "db/other.sql"\n'),
        add("docs/a.md", "# Other\n"),
    ],
)
def test_a_change_makes_the_record_stale(
    project: Project, rehearser: Rehearser, change: Callable[[Path], object]
) -> None:
    document = write_document(project, "a.md", *TEXT)
    assert rehearser.rehearse(document, TEST_MAJOR).green
    assert refused(project.root) == ""
    change(project.root)
    if (project.root / "docs/a.md").read_text("utf-8") == "# Other\n":
        write_document(project, "a.md", *TEXT, fence("SELECT 2;"))
    assert "next: execute it again: pgrehearse test docs/a.md" in refused(project.root)


def test_what_does_not_matter_does_not(project: Project, rehearser: Rehearser) -> None:
    document = write_document(project, "a.md", *TEXT)
    assert rehearser.rehearse(document, TEST_MAJOR).green
    write(project.root, "snippets/sql/two.sql", "SELECT 2;\n")
    write(project.root, "db/migrations/README", "About migrations.\n")
    assert refused(project.root) == ""


def test_a_run_that_fails_takes_the_proof_away(project: Project, rehearser: Rehearser) -> None:
    """Also where it ends without a result, such as with a server that dies."""
    document = write_document(project, "a.md", fence("SELECT 1;"))
    assert rehearser.rehearse(document, TEST_MAJOR).green
    assert refused(project.root) == ""
    with pytest.raises(PgRehearseError), pytest.MonkeyPatch.context() as patch:
        patch.setattr("pgrehearse.execution.rehearser.run_cells", _ends)
        rehearser.rehearse(document, TEST_MAJOR)
    assert "was never executed" in refused(project.root)
    assert rehearser.rehearse(document, TEST_MAJOR).green
    assert refused(project.root) == ""


def _ends(*_: object, **__: object) -> None:
    raise PgRehearseError("it ended")
