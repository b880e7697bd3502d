"""``pgrehearse test``: rehearse documents, show progress, end with a summary."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from pgrehearse.command.formats import finish, format_option, readable
from pgrehearse.command.terminal import ProgressLine, styled
from pgrehearse.errors import DocumentError, PgRehearseError
from pgrehearse.execution.rehearser import Rehearser
from pgrehearse.execution.results import DocumentResult
from pgrehearse.findings import Finding
from pgrehearse.servers import Servers, binaries
from pgrehearse.text.document import Document, load
from pgrehearse.text.foreign import ForeignReading, read
from pgrehearse.text.lookup import project_of
from pgrehearse.text.project import Project

__all__ = ["rehearse_all", "test", "versions"]


def versions(value: str) -> list[int | None]:
    """Server majors named by ``--pg``; what ``all`` leaves out is said."""
    try:
        wanted, left_out = binaries.named(value)
        for line in left_out:
            click.echo(line, err=True)
        return wanted
    except ValueError as error:
        raise click.UsageError(f"--pg: {error}") from None


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--pg", default="", help="Server majors, such as 15,17, or all.", metavar="MAJORS")
@click.option("--accept", is_flag=True, help="Write the outputs of this run into the documents.")
@click.option("--server", help="Use this server (URL or DSN) and start none.", metavar="URL")
@click.option("--keep-going", is_flag=True, help="Run the later blocks of a document after a failure, too.")
@click.option("--keep/--no-keep", default=True, help="Keep the database of a document that failed.")
@click.option(
    "--foreign",
    is_flag=True,
    help="The documents were not written for pgrehearse: run each block of SQL, whatever its form.",
)
@click.option(
    "--marked", is_flag=True, help="Of them, run what a comment asks for: <!-- pgrehearse: run -->."
)
@click.option(
    "--fresh",
    type=click.IntRange(0, 6),
    default=0,
    metavar="LEVEL",
    help="Of them, give each heading of this level or above a fresh database.",
)
@click.option(
    "--without",
    multiple=True,
    metavar="WHAT",
    help="Of them, leave alone: a pattern of files, '#Title' of a section, a language; may be repeated.",
)
@format_option
def test(
    paths: tuple[Path, ...],
    pg: str,
    accept: bool,
    server: str | None,
    keep_going: bool,
    keep: bool,
    foreign: bool,
    marked: bool,
    fresh: int,
    without: tuple[str, ...],
    form: str,
) -> int:
    """Run the blocks of documents against disposable databases and check what they claim.

    PATHS are Markdown files or folders; without any, the project's documents.

    A document ends at its first failure, for what follows was written for what should be there by then.
    """
    wanted = versions(pg)
    if accept and len(wanted) > 1:
        raise click.UsageError("--accept writes one server's outputs: name one major with --pg")
    if accept and keep_going:
        raise click.UsageError(
            "--accept writes the outputs of runs without a failure: leave out --keep-going"
        )
    if not foreign and (marked or fresh or without):
        raise click.UsageError("--marked, --fresh and --without are for documents of others: add --foreign")
    if foreign and accept:
        raise click.UsageError("--accept writes into documents; with --foreign they are only read")
    project = project_of(paths[0] if paths else None)
    how = ForeignReading(marked, fresh, without) if foreign else None
    return rehearse_all(
        project,
        paths,
        wanted,
        server=server,
        accept=accept,
        keep_going=keep_going,
        keep=keep,
        form=form,
        how=how,
    )


def rehearse_all(
    project: Project,
    paths: tuple[Path, ...] = (),
    majors: Sequence[int | None] = (None,),
    *,
    server: str | None = None,
    accept: bool = False,
    keep_going: bool = False,
    keep: bool = True,
    form: str = "text",
    how: ForeignReading | None = None,
) -> int:
    """Rehearse the documents at ``paths`` on each major, printing progress. Returns the exit status.

    ``form``: of `pgrehearse.findings.FORMATS`. ``how``: to read them as documents of others.
    """
    found = (read(path, project, how) if how else [load(path)] for path in project.markdown(paths))
    documents = [document for parts in found for document in parts if document.cells]
    if not documents:
        raise DocumentError(
            "no document with an sql or python block here",
            path=paths[0] if paths else project.root,
            next_step="name a Markdown file or a folder that holds some",
        )
    started = time.monotonic()
    with Rehearser(project, Servers(server), keep=keep) as rehearser:
        tally = _Tally(project, readable(form), keep_going)
        for major in majors:
            for document, upcoming in zip(documents, [*documents[1:], None], strict=True):
                tally.add(document, major, rehearser, upcoming, accept)
        tally.summary(time.monotonic() - started)
    finish(form, tally.findings, project)
    return tally.status


class _Tally:
    """Prints one line a document while they run, unless other programs read the output, and counts."""

    def __init__(self, project: Project, prints: bool, keep_going: bool) -> None:
        self.project = project
        self.keep_going = keep_going
        self.prints = prints
        self.findings: list[Finding] = []
        self.results: list[DocumentResult] = []
        self.status = 0
        self.illustrations = 0

    def add(
        self,
        document: Document,
        major: int | None,
        rehearser: Rehearser,
        upcoming: Document | None,
        accept: bool,
    ) -> None:
        name = self.project.relative(document.path) + (f" § {document.part}" if document.part else "")
        changed: list[int] = []
        try:
            with ProgressLine(sys.stdout) as progress:
                if self.prints:
                    progress.say(f"  {name} …")
                if accept:
                    result, changed = rehearser.accept(document, major)
                else:
                    result = rehearser.rehearse(document, major, upcoming, keep_going=self.keep_going)
        except PgRehearseError as error:
            self.status = max(self.status, error.exit_code)
            self.findings += error.findings
            self._say(f"FAIL  {name}\n{error}")
            return
        for line in changed:
            self._say(f"accepted {name}:{line}")
        self.findings += result.findings
        self.results.append(result)
        self.illustrations += len(document.illustrations)
        self._line(name, result)

    def _line(self, name: str, result: DocumentResult) -> None:
        word = styled("ok  ", fg="green") if result.green else styled("FAIL", fg="red")
        cells = f"{result.count('passed')}/{len(result.cells)} cells"
        skipped = f", {result.count('skipped')} skipped" if result.count("skipped") else ""
        where = f"PostgreSQL {result.version}"
        self._say(f"{word}  {name}  {where}  {cells}{skipped}  {result.seconds:.2f} s")
        if not result.green:
            self.status = max(self.status, 1)
            self._say(result.report(self.project.relative(result.document.path)))
        for note in result.notes:
            self._say(f"  {note}")

    def _say(self, text: str) -> None:
        if self.prints:
            click.echo(text)

    def summary(self, seconds: float) -> None:
        """The last line: what ran, what did not and why."""
        passed = sum(result.count("passed") for result in self.results)
        failed = sum(result.count("failed") for result in self.results)
        left = sum(result.count("notrun") for result in self.results)
        skips = [cell.reason for result in self.results for cell in result.cells if cell.status == "skipped"]
        reasons = ", ".join(f"{skips.count(reason)}: {reason}" for reason in sorted(set(skips)))
        parts = [f"{passed} passed", f"{failed} failed"]
        parts += [f"{left} not run"] if left else []
        parts += [f"{len(skips)} skipped ({reasons})"] if skips else []
        parts += [f"{self.illustrations} illustration"] if self.illustrations else []
        servers = ", ".join(sorted({result.version for result in self.results}))
        self._say(f"{len(self.results)} documents on PostgreSQL {servers or 'none'}, {seconds:.1f} s")
        self._say("cells: " + ", ".join(parts))
