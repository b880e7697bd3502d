"""``pgrehearse list`` and ``show``: which runbooks there are, and what one of them does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from pgrehearse.command.terminal import Column, prose, styled, table, width
from pgrehearse.errors import DocumentError
from pgrehearse.text.document import Document, load
from pgrehearse.text.handbook import is_ours
from pgrehearse.text.lookup import find, project_of, runbooks
from pgrehearse.text.project import Project

__all__ = ["list_", "show"]

_PHASES = ("Preflight", "Apply", "Verify", "Roll back")


@click.command("list")
def list_() -> int:
    """List the runbooks: the project's own, and those that come with pgrehearse."""
    project = project_of(None)
    rows = []
    for name, path in runbooks(project).items():
        try:
            document = load(path)
        except DocumentError as error:
            rows.append([name, f"cannot be read: {error.message}", _whose(path, project)])
            continue
        if document.is_runbook:
            rows.append([name, document.front.title or document.title, _whose(path, project)])
    click.echo(table([Column("name"), Column("what"), Column("from")], rows, within=width()))
    click.echo(
        prose("pgrehearse show NAME tells more, pgrehearse run NAME --dry-run shows its steps", width())
    )
    return 0


@click.command()
@click.argument("runbook")
@click.option("--text", is_flag=True, help="Print the file as it is.")
def show(runbook: str, text: bool) -> int:
    """Show what RUNBOOK does, which parameters it takes, and its steps."""
    given = Path(runbook)
    project = project_of(given if given.is_file() else None)
    document = load(find(project, runbook))
    if text:
        click.echo(document.text, nl=False)
        return 0
    title, *lines = (prose(line, width()) for line in _shown(document))
    click.echo("\n".join([styled(title, bold=True), *lines]))
    return 0


def _shown(document: Document) -> Iterator[str]:
    yield document.front.title or document.title
    yield document.front.description
    yield from ("", "parameters") if document.front.parameters else ()
    for one in document.front.parameters.values():
        default = f"{one.default or 'nothing'} unless said" if one.default is not None else ""
        example = f"such as {one.example}" if one.example and one.example != one.default else ""
        said = "; ".join(filter(None, (example, default)))
        yield f"  {one.name}: {one.description}" + (f" ({said})" if said else "")
    for phase in _PHASES:
        titles = [h.title for h in document.headings if _phase(document, h.line) == phase and h.level > 2]
        count = len(titles) or sum(cell.phase == phase for cell in document.cells)
        yield from ("", f"{phase}: {count} step{'s' if count != 1 else ''}")
        yield from (f"  {title}" for title in titles)
    settings = " ".join(
        f"--set {one.name}=..." for one in document.front.parameters.values() if one.default is None
    )
    yield from ("", f"pgrehearse run {document.path.stem} {settings}".rstrip())


def _phase(document: Document, line: int) -> str:
    """Below which heading of level 2 ``line`` stands."""
    above = [h for h in document.headings if h.level == 2 and h.line < line]
    return above[-1].title if above else ""


def _whose(path: Path, project: Project) -> str:
    inside = path.resolve().is_relative_to(project.root)
    return "pgrehearse" if is_ours(path) and not inside else "this project"
