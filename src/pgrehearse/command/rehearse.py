"""``pgrehearse rehearse``: the rehearsals of runbooks, compared with the committed evidence."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import click

from pgrehearse.command.terminal import Column, ProgressLine, styled, table, width
from pgrehearse.command.test import versions
from pgrehearse.command.zoo import ZooTour, chosen, visited
from pgrehearse.errors import DocumentError, PgRehearseError, SetupError
from pgrehearse.execution.rehearser import Rehearser
from pgrehearse.measurement.evidence import rehearsals
from pgrehearse.measurement.rehearsals import REHEARSALS, Rehearsal
from pgrehearse.measurement.rehearsals import rehearse as rehearse_runbook
from pgrehearse.servers import Servers
from pgrehearse.text.document import Document, load
from pgrehearse.text.lookup import find, project_of
from pgrehearse.text.project import Project

__all__ = ["rehearse"]

_COLORS = {"passed": "green", "failed": "red", "not run": "yellow", "not undoable": "yellow"}


@click.command()
@click.argument("runbooks", nargs=-1)
@click.option("--pg", default="", help="Server majors, such as 15,17, or all.", metavar="MAJORS")
@click.option("--only", default="", help="Some of: " + ", ".join(REHEARSALS) + ".", metavar="REHEARSALS")
@click.option("--refresh", is_flag=True, help="Write what is found into evidence/rehearsals/.")
@click.option("--server", help="Use this server (URL or DSN) and start none.", metavar="URL")
@click.option("--zoo", is_flag=True, help="The sixth rehearsal: on tables of every shape in zoo/.")
@click.option("--shape", "shapes", default="", help="With --zoo: on these shapes only.", metavar="NAMES")
def rehearse(
    runbooks: tuple[str, ...],
    pg: str,
    only: str,
    refresh: bool,
    server: str | None,
    zoo: bool,
    shapes: str,
) -> int:
    """Rehearse runbooks in five ways and compare what is found with the committed evidence.

    RUNBOOKS are names or files; without any, all of the project. On disposable databases each is applied,
    undone, repeated, killed and started again at every step, and run beside a load of readers and writers.
    With --zoo each runs on tables that nobody made for it, as a role that is no superuser.
    """
    wanted, servers = _wanted(only), versions(pg)
    project = project_of(Path(runbooks[0]) if runbooks else None)
    documents = _documents(project, runbooks)
    if zoo or shapes:
        if only or not zoo:
            raise click.UsageError("--shape goes with --zoo, --only with the five rehearsals")
        visit = ZooTour(project, documents, chosen(project, shapes), refresh=refresh)
        with Servers(server) as pool:
            return visited(visit, pool, servers)
    with Rehearser(project, Servers(server), keep=False) as rehearser:
        run = _Run(project, rehearser, wanted, refresh)
        for major in servers:
            run.on(major, documents)
    run.summary()
    return run.status


def _wanted(only: str) -> tuple[str, ...]:
    words = [word.strip() for word in only.split(",") if word.strip()]
    wrong = next((word for word in words if word not in REHEARSALS), None)
    if wrong is not None:
        raise click.UsageError(f"--only: no rehearsal {wrong!r}; write some of {', '.join(REHEARSALS)}")
    return tuple(name for name in REHEARSALS if not words or name in words)


def _documents(project: Project, words: Sequence[str]) -> list[Document]:
    paths = [find(project, word, own=True) for word in words] or list(project.markdown((project.runbooks,)))
    documents = [load(path) for path in paths]
    for document in documents if words else []:
        if not document.is_runbook:
            raise DocumentError(
                "this is no runbook: it has no phase Apply",
                path=document.path,
                next_step="add the headings Preflight, Apply, Verify and Roll back",
            )
    return [document for document in documents if document.is_runbook]


class _Run:
    """Rehearses, prints progress, and collects the matrix."""

    def __init__(
        self, project: Project, rehearser: Rehearser, wanted: tuple[str, ...], refresh: bool
    ) -> None:
        self.project = project
        self.rehearser = rehearser
        self.wanted = wanted
        self.refresh = refresh
        self.status = 0
        #: (runbook, major) -> status by rehearsal
        self.matrix: dict[tuple[str, str], dict[str, str]] = {}
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.started = time.monotonic()

    def on(self, major: int | None, documents: Sequence[Document]) -> None:
        """All ``documents`` on one server. One that cannot be had leaves "not run", and a status."""
        try:
            server = self.rehearser.servers.get(major)
        except SetupError as error:
            self.status = max(self.status, error.exit_code)
            click.echo(f"PostgreSQL {major}: not run\n{error}")
            for document in documents:
                self.matrix[document.path.stem, str(major)] = dict.fromkeys(self.wanted, "not run")
            return
        for document in documents:
            self._document(document, server.major, server.version)

    def _document(self, document: Document, major: int, version: str) -> None:
        name = self.project.relative(document.path)
        results: list[Rehearsal] = []
        row = self.matrix.setdefault((document.path.stem, str(major)), dict.fromkeys(self.wanted, "not run"))
        try:
            with ProgressLine(sys.stdout) as progress:
                progress.say(f"  {name} on PostgreSQL {version} …")
                for result in rehearse_runbook(self.rehearser, document, major, self.wanted):
                    progress.clear()
                    results.append(result)
                    row[result.name] = result.status
                    self.seconds[result.name] += result.seconds
                    self._line(name, version, result)
        except PgRehearseError as error:
            self.status = max(self.status, error.exit_code)
            click.echo(f"FAIL  {name}\n{error}")
            return
        if any(result.red for result in results):
            self.status = max(self.status, 1)
            return
        if self.refresh:
            rehearsals.save(self.project, document, major, version, results)
            return
        committed = rehearsals.load(self.project, document)
        lines = rehearsals.changes(document, committed, version, results)
        if lines:
            self.status = max(self.status, 1)
            file = self.project.relative(rehearsals.file_of(self.project, document))
            click.echo(styled("FAIL", fg="red") + f"  {name} differs from {file}")
            for line in lines:
                click.echo(f"    {line}")
            click.echo("  next: find out why, then accept it with `pgrehearse rehearse --refresh`")

    def _line(self, name: str, version: str, result: Rehearsal) -> None:
        word = styled(result.status, fg=_COLORS[result.status])
        reason = f": {result.reason}" if result.reason else ""
        click.echo(f"{name}  PostgreSQL {version}  {result.name}  {word}{reason}  {result.seconds:.1f} s")

    def summary(self) -> None:
        """The matrix, and where the time went."""
        columns = [Column("runbook"), Column("PG"), *(Column(name, 13) for name in self.wanted)]
        rows = [
            (name, major, *(row[way] for way in self.wanted))
            for (name, major), row in sorted(self.matrix.items())
        ]
        click.echo("\n" + table(columns, rows, within=width(), colors=_COLORS))
        total = time.monotonic() - self.started
        spent = ", ".join(f"{name} {self.seconds[name]:.0f} s" for name in self.wanted)
        click.echo(f"{len(self.matrix)} runs of a runbook in {total:.0f} s: {spent}")
