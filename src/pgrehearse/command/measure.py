"""``pgrehearse measure``: the facts of a document's DDL against its claims and the committed evidence."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from pgrehearse.command.formats import finish, format_option, readable
from pgrehearse.command.terminal import styled
from pgrehearse.command.test import versions
from pgrehearse.execution.rehearser import Rehearser
from pgrehearse.findings import Finding
from pgrehearse.measurement.evidence import cells
from pgrehearse.measurement.review import Review, has_facts, review
from pgrehearse.servers import Servers
from pgrehearse.text.document import load
from pgrehearse.text.project import Project

__all__ = ["measure"]


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--pg", default="", help="Server majors, such as 15,17, or all.", metavar="MAJORS")
@click.option("--refresh", is_flag=True, help="Write what is measured into evidence/.")
@click.option("--server", help="Use this server (URL or DSN) and start none.", metavar="URL")
@format_option
def measure(paths: tuple[Path, ...], pg: str, refresh: bool, server: str | None, form: str) -> int:
    """Measure the locks, rewrites and scans of every DDL cell; compare with claims and evidence.

    PATHS are Markdown files or folders; without any, the project's documents.
    """
    project = Project.find(paths[0] if paths and paths[0].exists() else Path.cwd())
    documents = [load(path) for path in project.markdown(paths)]
    documents = [document for document in documents if has_facts(document)]
    if not documents:
        click.echo("no document with DDL here", err=not readable(form))
        finish(form, [], project)
        return 0
    started = time.monotonic()
    statements = 0
    wrong: list[Finding] = []
    with Rehearser(project, Servers(server), keep=False) as rehearser:
        for major in versions(pg):
            for document in documents:
                found = review(rehearser, document, major, project.evidence)
                if refresh and not found.mismatches:
                    cells.save(project.evidence, found.evidence)
                new = [*found.mismatches, *(() if refresh else found.changes)]
                wrong += new
                statements += found.statements
                if readable(form):
                    _tell(project.relative(document.path), found, new)
    seconds = time.monotonic() - started
    if readable(form):
        each = seconds / max(statements, 1)
        click.echo(f"{statements} statements measured in {seconds:.1f} s, {each:.2f} s each")
    finish(form, wrong, project)
    return 1 if wrong else 0


def _tell(name: str, found: Review, wrong: Sequence[Finding]) -> None:
    """Print one document's line and what is wrong with it; a wrong claim is what to mend first."""
    word = styled("FAIL", fg="red") if wrong else styled("ok  ", fg="green")
    click.echo(f"{word}  {name}  PostgreSQL {found.version}  {found.statements} statements")
    for finding in wrong:
        click.echo(finding.head())
    if wrong:
        click.echo(f"  next: {wrong[0].next_step}")
