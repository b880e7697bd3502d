"""``pgrehearse lint`` and ``pgrehearse sync``: the form of documents, without a server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from pgrehearse import files
from pgrehearse.command.formats import finish, format_option, readable
from pgrehearse.errors import DocumentError
from pgrehearse.findings import Finding
from pgrehearse.measurement.evidence.seals import edited
from pgrehearse.text import lint as linter
from pgrehearse.text.document import load
from pgrehearse.text.lookup import project_of
from pgrehearse.text.project import Project
from pgrehearse.text.snippets import Snippets

__all__ = ["lint", "sync"]


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@format_option
def lint(paths: tuple[Path, ...], form: str) -> int:
    """Check the form of documents, and that nobody edited evidence: each problem with file, line and fix."""
    project = project_of(paths[0] if paths else None)
    count = 0
    found: list[Finding] = []
    for path in project.markdown(paths):
        count += 1
        found += _told(_checked(path, project), readable(form))
    if not paths:
        found += _told(edited(project), readable(form))
    if readable(form):
        click.echo(f"{count} documents, {len(found)} problems")
    finish(form, found, project)
    return 65 if found else 0


def _told(findings: Iterable[Finding], prints: bool) -> Iterator[Finding]:
    for finding in findings:
        if prints:
            click.echo(finding.text())
        yield finding


def _checked(path: Path, project: Project) -> Iterator[Finding]:
    try:
        document = load(path)
    except DocumentError as error:
        yield from error.findings
        return
    yield from linter.check(document)
    for cell in Snippets.of(document, project).out_of_sync(document):
        message = f"this cell differs from snippet {cell.options.snippet!r}"
        yield Finding(message, path, cell.line, kind="snippet", next_step="run `pgrehearse sync`")


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; exit 65 when something would change.")
def sync(paths: tuple[Path, ...], check: bool) -> int:
    """Rewrite the cells that name a snippet from the snippet's file."""
    project = project_of(paths[0] if paths else None)
    snippets = Snippets(project.snippets)
    changed = 0
    for path in project.markdown(paths):
        document = load(path)
        for cell in snippets.out_of_sync(document):
            changed += 1
            verb = "differs from" if check else "rewritten from"
            click.echo(f"{path}:{cell.line}: {verb} snippet {cell.options.snippet}")
        if not check and snippets.out_of_sync(document):
            files.write(path, snippets.synced(document))
    click.echo(f"{changed} cells {'out of sync' if check else 'rewritten'}")
    return 65 if check and changed else 0
