"""What MkDocs and its plugins do when a build fails, as our errors: file, line, next step."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgrehearse.errors import DocumentError, PgRehearseError, SetupError
from pgrehearse.site import macros
from pgrehearse.site.content.embed import macro_uses
from pgrehearse.text.project import Project
from pgrehearse.troubles import named

__all__ = ["explained"]

# "a link", "an absolute link", "an unrecognized relative link"
_PAGE = re.compile(r"Doc file '(?P<page>[^']+)' contains an? (?:\w+ )*?link '(?P<link>[^']+)'")
_MACRO_FILE = re.compile(r"_File_: `(?P<page>[^`]+)`")
_MACRO_ERROR = re.compile(r"_(?P<kind>\w*(?:Error|Exception))_: (?P<message>[^\n]+)")
_SYNTAX_ERROR = re.compile(r"_Line (?P<line>\d+) in Markdown file:_ \*\*(?P<message>[^\n]*)\*\*")
_TEMPLATE_LINE = re.compile(r'File "<template>", line (\d+)')


class _Kept(logging.Handler):
    """Keeps what MkDocs warns about instead of printing it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def explained(project: Project) -> Iterator[None]:
    """Raise DocumentError, SetupError or PgRehearseError for whatever stops the MkDocs build inside."""
    logger = logging.getLogger("mkdocs")
    kept = _Kept()
    propagated, stdin = logger.propagate, sys.stdin
    logger.addHandler(kept)
    logger.propagate = False
    macros.raised()
    try:
        # The macros plugin ends a build with exit(), which closes standard input on its way.
        with Path(os.devnull).open() as nothing:
            sys.stdin = nothing
            yield
    except PgRehearseError:
        raise
    except SystemExit as stop:
        raise _of_exit(project, kept.messages) from stop
    except Exception as error:
        raise _of_exception(project, error, kept.messages) from error
    finally:
        sys.stdin = stdin
        logger.propagate = propagated
        logger.removeHandler(kept)


def _of_exception(project: Project, error: Exception, messages: list[str]) -> PgRehearseError:
    if isinstance(error.__cause__, PgRehearseError):
        return error.__cause__
    cause: BaseException | None = error
    while cause is not None:  # a full disk, a folder of somebody else's
        if isinstance(cause, OSError) and (refused := named(cause)) is not None:
            return refused
        cause = cause.__cause__ or cause.__context__
    if type(error).__name__ == "ConfigurationError":
        return SetupError(str(error), path=project.root / "mkdocs.yml", next_step="mend mkdocs.yml")
    said = "; ".join(dict.fromkeys([*messages, f"{type(error).__name__}: {error}"]))
    return PgRehearseError(f"MkDocs failed: {said}", next_step="read the chain of exceptions above")


def _of_exit(project: Project, messages: list[str]) -> PgRehearseError:
    raised = macros.raised()
    if raised:
        return raised
    docs = _docs(project)
    problems = [_of_message(project, docs, message) for message in dict.fromkeys(messages)]
    if not problems:
        return PgRehearseError("MkDocs stopped without a word", next_step="run mkdocs build --strict")
    if len(problems) == 1:
        return problems[0]
    listed = [finding for problem in problems for finding in problem.findings]
    return type(problems[0])(f"{len(problems)} problems stop the build", findings=listed)


def _docs(project: Project) -> Path:
    """The folder of pages; asked of the text, for a configuration that stops the build may not load."""
    file = project.root / "mkdocs.yml"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    named = re.search(r"""^docs_dir:[ \t]*["']?([^"'\s#]+)""", text, re.M)
    return project.root / (named[1] if named else "docs")


def _of_message(project: Project, docs: Path, message: str) -> PgRehearseError:
    """One warning of MkDocs or of the macros plugin."""
    if link := _PAGE.search(message):
        page = docs / link["page"]
        source, line = _source_of(project, page, link["link"])
        name = project.relative(source)
        return DocumentError(_short(message), path=name, line=line, next_step="mend the link")
    if file := _MACRO_FILE.search(message):
        page = docs / file["page"]
        syntax, error = _SYNTAX_ERROR.search(message), _MACRO_ERROR.search(message)
        lines = [int(number) for number in _TEMPLATE_LINE.findall(message)]
        line = int(syntax["line"]) if syntax else lines[-1] if lines else None
        said = syntax["message"] if syntax else error["message"] if error else _short(message)
        return DocumentError(
            f"macro: {said}",
            path=project.relative(page),
            line=line + _lines_before_body(page) if line else None,
            next_step="mend the macro, or write [[% raw %]] around text that only looks like one",
        )
    if message.startswith(("Config value", "Error reading")):
        return SetupError(message, path=project.root / "mkdocs.yml", next_step="mend mkdocs.yml")
    return DocumentError(
        _short(message), path=project.root / "mkdocs.yml", next_step="mend the page or mkdocs.yml"
    )


def _short(message: str) -> str:
    """MkDocs lists pages one a line; ours is one line."""
    said = " ".join(message.split())
    return said if len(said) <= 400 else said[:397] + "..."


def _source_of(project: Project, page: Path, link: str) -> tuple[Path, int | None]:
    """File and line of a link on a page: the page, or a runbook it embeds, which says it otherwise."""
    line = _line_with(page, link)
    if line is None and page.is_file():
        for use in macro_uses(page.read_text(encoding="utf-8")):
            runbook = project.runbooks / f"{use.name}.md"
            found = _line_with(runbook, link.rsplit("/", 1)[-1])
            if found:
                return runbook, found
    return page, line


def _line_with(page: Path, text: str) -> int | None:
    if not page.is_file():
        return None
    lines = page.read_text(encoding="utf-8").split("\n")
    return next((number for number, line in enumerate(lines, 1) if text in line), None)


def _lines_before_body(page: Path) -> int:
    """Lines MkDocs cuts off before macros see a page: front matter and the blank lines after it."""
    if not page.is_file():
        return 0
    text = page.read_text(encoding="utf-8")
    match = re.match(r"---[ \t]*\n.*?\n(?:---|\.\.\.)[ \t]*\n\n*", text, re.S)
    return match[0].count("\n") if match else 0
