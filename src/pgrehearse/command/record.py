"""``pgrehearse record``: changes of guides under live traffic, the unsafe way and the safe way."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from pgrehearse.command.terminal import ProgressLine, styled
from pgrehearse.command.test import versions
from pgrehearse.errors import PgRehearseError, SetupError
from pgrehearse.execution.rehearser import Rehearser
from pgrehearse.measurement.evidence import recordings
from pgrehearse.measurement.recordings import by_name
from pgrehearse.measurement.recordings import record as record_ways
from pgrehearse.measurement.words import longest_wait
from pgrehearse.servers import Servers
from pgrehearse.text.document import Document, load
from pgrehearse.text.lookup import project_of
from pgrehearse.text.project import Project
from pgrehearse.text.recordings import Recording

__all__ = ["record"]


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--pg", default="", help="Server majors, such as 15,17, or all.", metavar="MAJORS")
@click.option("--refresh", is_flag=True, help="Write what is found into evidence/recordings/.")
@click.option("--server", help="Use this server (URL or DSN) and start none.", metavar="URL")
def record(paths: tuple[Path, ...], pg: str, refresh: bool, server: str | None) -> int:
    """Record the changes that guides declare, each in an unsafe and in a safe way, under live traffic.

    PATHS are Markdown files or folders; without any, the project's documents. Each way runs on a database
    of its own, beside readers and writers at a fixed rate. It is red when the safe way is not clearly
    better, and when what is found differs from the committed evidence.
    """
    project, servers = project_of(paths[0] if paths else None), versions(pg)
    wanted = by_name(load(path) for path in project.markdown(paths))
    if not wanted:
        click.echo("no document here declares a recording")
        return 0
    started = time.monotonic()
    with Rehearser(project, Servers(server), keep=False) as rehearser:
        run = _Run(project, rehearser, refresh)
        for major in servers:
            run.on(major, list(wanted.values()))
    click.echo(f"{run.count} recordings in {time.monotonic() - started:.0f} s")
    return run.status


class _Run:
    """Records, and prints a line for each recording."""

    def __init__(self, project: Project, rehearser: Rehearser, refresh: bool) -> None:
        self.project = project
        self.rehearser = rehearser
        self.refresh = refresh
        self.status = self.count = 0

    def on(self, major: int | None, wanted: list[tuple[Document, Recording]]) -> None:
        """All recordings on one server. One that cannot be had is reported as not run, with a status."""
        try:
            server = self.rehearser.servers.get(major)
        except SetupError as error:
            self.status = max(self.status, error.exit_code)
            click.echo(f"PostgreSQL {major}: not run\n{error}")
            return
        for document, recording in wanted:
            self._one(document, recording, server.major, server.version)

    def _one(self, document: Document, recording: Recording, major: int, version: str) -> None:
        name = f"{recording.name}  PostgreSQL {version}"
        try:
            with ProgressLine(sys.stdout) as progress:
                progress.say(f"  {name} …")
                found = record_ways(self.rehearser, document, recording, major)
        except PgRehearseError as error:
            self.status = max(self.status, error.exit_code)
            click.echo(f"{styled('FAIL', fg='red')}  {name}\n{error}")
            return
        self.count += 1
        wrong = [found.problem] if found.problem else []
        if self.refresh and not wrong:
            recordings.save(self.project, document, recording, major, version, found)
        elif not wrong:
            wrong = recordings.changes(self.project, document, recording, version, found)
        word = styled("FAIL", fg="red") if wrong else styled("ok  ", fg="green")
        waits = f"{said}  " if (said := longest_wait(found.measured)) else ""
        click.echo(f"{word}  {name}  {waits}{found.seconds:.0f} s")
        for line in wrong:
            click.echo(f"    {line}")
        if wrong:
            self.status = max(self.status, 1)
            click.echo("  next: " + (_MEND if found.problem else _ACCEPT))


_MEND = "mend the way that is named, or record again where nothing else is at work"
_ACCEPT = "find out why, then accept it with `pgrehearse record --refresh`"
