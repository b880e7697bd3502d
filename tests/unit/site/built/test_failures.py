"""What stops a build, as our errors: where it is, and what next."""

from __future__ import annotations

import errno
import logging
from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError, PgRehearseError, SetupError
from pgrehearse.site.built.failures import explained
from pgrehearse.text.project import Project
from support.projects import project_at, write


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return project_at(
        tmp_path,
        {
            "mkdocs.yml": "docs_dir: 'pages' # a comment\n",
            "pages/a.md": "---\ntitle: x\n---\n\n\n# A\n\n[x](gone.md)\n\n[[= nope() =]]\n",
            "pages/b.md": '# B\n\n[[= runbook("r") =]]\n',
            "runbooks/r.md": "# R\n\ntext\n\n[x](lost.md#there)\n",
        },
    )


def stopped(project: Project, *warnings: str, error: BaseException | None = None) -> PgRehearseError:
    with pytest.raises(PgRehearseError) as caught, explained(project):
        for warning in warnings:
            logging.getLogger("mkdocs").warning(warning)
        raise error if error is not None else SystemExit(1)
    return caught.value


@pytest.mark.parametrize(
    ("warning", "where", "line"),
    [
        ("Doc file 'a.md' contains a link 'gone.md', but the target is not found", "pages/a.md", 8),
        ("Doc file 'a.md' contains an absolute link 'gone.md', it was left as is.", "pages/a.md", 8),
        ("Doc file 'a.md' contains an unrecognized relative link 'gone.md', it was", "pages/a.md", 8),
        ("Doc file 'a.md' contains a link 'nowhere.md'", "pages/a.md", None),
        ("Doc file 'b.md' contains a link '../x/lost.md#there'", "runbooks/r.md", 5),
        ("Doc file 'new.md' contains a link 'x.md'", "pages/new.md", None),
    ],
)
def test_a_link(project: Project, warning: str, where: str, line: int | None) -> None:
    error = stopped(project, warning)
    assert isinstance(error, DocumentError)
    assert (str(error.path), error.line, error.next_step) == (where, line, "mend the link")


def test_a_macro_is_found_below_the_front_matter(project: Project) -> None:
    """The template's lines begin after what MkDocs cuts off: front matter and the blank lines after it."""
    error = stopped(
        project,
        "# Macro Rendering Error\n\n_File_: `a.md`\n\n_UndefinedError_: 'nope' is undefined\n\n"
        'Traceback:\n  File "<template>", line 5, in top-level template code\n',
    )
    assert (str(error.path), error.line) == ("pages/a.md", 10)
    assert error.message == "macro: 'nope' is undefined"
    error = stopped(
        project, "# Macro Syntax Error\n_File_: `b.md`\n_Line 3 in Markdown file:_ **unexpected '}'**"
    )
    assert (str(error.path), error.line, error.message) == ("pages/b.md", 3, "macro: unexpected '}'")


def test_a_setting(project: Project) -> None:
    error = stopped(project, "Config value 'theme': Unrecognised theme name")
    assert isinstance(error, SetupError)
    assert error.path == project.root / "mkdocs.yml"


def test_several_are_told_once_each(project: Project) -> None:
    one, other = ("Doc file 'a.md' contains a link 'gone.md'", "something else\n  - of two lines")
    said = str(stopped(project, one, other, one))
    assert "something else - of two lines" in said
    assert said.count("gone.md") == 1


def test_a_long_message_is_cut(project: Project) -> None:
    assert len(stopped(project, "x" * 5000).message) <= 400


def test_a_stop_without_a_word_and_an_exception(project: Project) -> None:
    assert "without a word" in str(stopped(project))
    error = stopped(project, "warned", error=ValueError("odd"))
    assert error.message == "MkDocs failed: warned; ValueError: odd"
    ours = DocumentError("ours", path="x.md", line=3)
    assert stopped(project, error=ours) is ours
    wrapped = RuntimeError("theirs")
    wrapped.__cause__ = ours
    assert stopped(project, error=wrapped) is ours


def test_logging_is_as_before(project: Project) -> None:
    logger = logging.getLogger("mkdocs")
    before = (logger.propagate, list(logger.handlers))
    stopped(project, "x")
    with explained(project):
        pass
    assert (logger.propagate, list(logger.handlers)) == before


def test_without_a_configuration_pages_are_below_docs(tmp_path: Path) -> None:
    project = project_at(tmp_path)
    write(tmp_path, "docs/a.md", "x\n[x](gone.md)\n")
    error = stopped(project, "Doc file 'a.md' contains a link 'gone.md'")
    assert (str(error.path), error.line) == ("docs/a.md", 2)


def test_what_the_system_refuses_is_no_bug(project: Project) -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "site/a.js")
    around = RuntimeError("odd")
    around.__cause__ = full
    for error in (full, around):
        refused = stopped(project, error=error)
        assert isinstance(refused, SetupError)
        assert str(refused).startswith("site/a.js: No space left on device\n  next: make room")
    assert "MkDocs failed" in str(stopped(project, error=OSError("without a number")))
