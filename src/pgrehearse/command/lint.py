"""``pgrehearse lint`` and ``pgrehearse sync``: the form of documents, without a server."""

from __future__ import annotations

from pathlib import Path

import click

from pgrehearse import files
from pgrehearse.errors import DocumentError
from pgrehearse.text import lint as linter
from pgrehearse.text.document import load
from pgrehearse.text.lookup import project_of
from pgrehearse.text.snippets import Snippets

__all__ = ["lint", "sync"]


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def lint(paths: tuple[Path, ...]) -> int:
    """Check the form of documents: each problem with file, line and the fix."""
    project = project_of(paths[0] if paths else None)
    count = problems = 0
    for path in project.markdown(paths):
        count += 1
        try:
            document = load(path)
        except DocumentError as error:
            problems += 1
            click.echo(str(error))
            continue
        for problem in linter.check(document):
            problems += 1
            click.echo(problem.text())
        for cell in Snippets(project.snippets).out_of_sync(document):
            problems += 1
            click.echo(f"{path}:{cell.line}: this cell differs from snippet {cell.options.snippet!r}")
            click.echo("  next: run `pgrehearse sync`")
    click.echo(f"{count} documents, {problems} problems")
    return 65 if problems else 0


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
