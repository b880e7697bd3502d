"""``pgrehearse measure``: the facts of a document's DDL against its claims and the committed evidence."""

from __future__ import annotations

import time
from pathlib import Path

import click

from pgrehearse.command.test import versions
from pgrehearse.execution.rehearser import Rehearser
from pgrehearse.measurement.cells import is_measured
from pgrehearse.measurement.evidence import cells
from pgrehearse.measurement.review import Review, review
from pgrehearse.servers import Servers
from pgrehearse.text.document import load
from pgrehearse.text.project import Project

__all__ = ["measure"]


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--pg", default="", help="Server majors, such as 15,17, or all.", metavar="MAJORS")
@click.option("--refresh", is_flag=True, help="Write what is measured into evidence/.")
@click.option("--server", help="Use this server (URL or DSN) and start none.", metavar="URL")
def measure(paths: tuple[Path, ...], pg: str, refresh: bool, server: str | None) -> int:
    """Measure the locks, rewrites and scans of every DDL cell; compare with claims and evidence.

    PATHS are Markdown files or folders; without any, the project's documents.
    """
    project = Project.find(paths[0] if paths and paths[0].exists() else Path.cwd())
    documents = [load(path) for path in project.markdown(paths)]
    documents = [document for document in documents if any(map(is_measured, document.cells))]
    if not documents:
        click.echo("no document with DDL here")
        return 0
    started = time.monotonic()
    status = statements = 0
    with Rehearser(project, Servers(server), keep=False) as rehearser:
        for major in versions(pg):
            for document in documents:
                found = review(rehearser, document, major, project.evidence)
                if refresh and not found.mismatches:
                    cells.save(project.evidence, found.evidence)
                status = max(status, _told(project.relative(document.path), found, refresh))
                statements += found.statements
    seconds = time.monotonic() - started
    click.echo(
        f"{statements} statements measured in {seconds:.1f} s, {seconds / max(statements, 1):.2f} s each"
    )
    return status


def _told(name: str, found: Review, refresh: bool) -> int:
    """Print one document's line and what is wrong with it; returns its exit status."""
    wrong = [*found.mismatches, *(() if refresh else found.changes)]
    word = click.style("FAIL", fg="red") if wrong else click.style("ok  ", fg="green")
    click.echo(f"{word}  {name}  PostgreSQL {found.version}  {found.statements} statements")
    for mismatch in wrong:
        click.echo(str(mismatch))
    if found.mismatches:
        click.echo("  next: mend the claim, or the statement")
    elif wrong:
        click.echo("  next: find out why, then accept the new facts with `pgrehearse measure --refresh`")
    return 1 if wrong else 0
