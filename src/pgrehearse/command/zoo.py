"""``pgrehearse rehearse --zoo``: runbooks on tables of every shape, compared with the committed evidence."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence

import click

from pgrehearse.command.terminal import ProgressLine, styled
from pgrehearse.errors import DocumentError, PgRehearseError, SetupError
from pgrehearse.majors import number
from pgrehearse.measurement.evidence import zoo as evidence
from pgrehearse.measurement.zoo.fillings import Fillings
from pgrehearse.measurement.zoo.habitat import Zoo
from pgrehearse.measurement.zoo.known import KnownFaults
from pgrehearse.measurement.zoo.outcome import GREEN, PairOutcome
from pgrehearse.measurement.zoo.pairs import tried
from pgrehearse.measurement.zoo.shapes import Shape, folder, shapes_of
from pgrehearse.servers import Servers
from pgrehearse.text.document import Document
from pgrehearse.text.project import Project

__all__ = ["ZooTour", "chosen", "visited"]


def chosen(project: Project, words: str) -> list[Shape]:
    """The shapes that ``words`` name, separated by commas; all without any."""
    every = {shape.name: shape for shape in shapes_of(project)}
    names = [word.strip() for word in words.split(",") if word.strip()]
    wrong = next((name for name in names if name not in every), None)
    if wrong is not None or not every:
        known = ", ".join(every) or "none: zoo/ holds a file for each"
        raise click.UsageError(f"--shape: no shape {wrong!r}; known: {known}")
    return [every[name] for name in names] or list(every.values())


class ZooTour:
    """Tries all ``documents`` on all ``shapes``, server by server, and says what came out."""

    def __init__(
        self, project: Project, documents: Sequence[Document], shapes: Sequence[Shape], *, refresh: bool
    ) -> None:
        self.project = project
        self.documents = documents
        self.shapes = shapes
        self.refresh = refresh
        self.fillings = Fillings(project)
        self.known = KnownFaults(project)
        #: what was named to choose some of all, as the command takes it
        self._named = ""
        if len(shapes) < len(shapes_of(project)):
            self._named += f" --shape {','.join(shape.name for shape in shapes)}"
        if len(documents) < len(list(project.runbooks.glob("*.md"))):
            self._named += "".join(f" {document.path.stem}" for document in documents)
        self.counts: Counter[str] = Counter()
        self.status = 0
        self.started = time.monotonic()

    def must_fit(self) -> None:
        """Raise DocumentError where no pair can be made, so that nothing is not taken for well."""
        lacking = [self.fillings.lacking(d.path.stem, s) for d in self.documents for s in self.shapes]
        if lacking and all(lacking):
            raise DocumentError(
                f"nothing can be tried: {lacking[0]}",
                path=folder(self.project) / "runbooks.toml",
                next_step="write the table, its values from names of the shape or of [names]",
            )

    def on(self, servers: Servers, major: int | None) -> None:
        """All pairs on one server. One that cannot be had is said, and a status."""
        try:
            server = servers.get(major)
        except SetupError as error:
            self.status = max(self.status, error.exit_code)
            click.echo(f"PostgreSQL {major}: not run\n{error}")
            return
        if not server.ours:
            raise click.UsageError("--zoo makes roles and breaks tables: it takes no --server of others")
        results: dict[evidence.Pair, PairOutcome] = {}
        shapes = [shape for shape in self.shapes if shape.on(server.major)]
        with Zoo(server) as zoo:
            for shape in shapes:
                with zoo.habitat(shape) as habitat, ProgressLine(sys.stdout) as progress:
                    for document in self.documents:
                        name = document.path.stem
                        filling = self.fillings.of(name, shape)
                        if filling is None:
                            continue
                        progress.say(f"  {name} on {shape.name}, PostgreSQL {server.version} …")
                        outcome = tried(habitat, document, filling)
                        progress.clear()
                        results[name, shape.name, str(server.major)] = outcome
                        self._tell(name, shape.name, server.major, outcome)
        self._compare(server.version, shapes, results)

    def _tell(self, name: str, shape: str, major: int, outcome: PairOutcome) -> None:
        reason = self.known.reason(name, shape, major)
        self.counts["known to be red" if outcome.red and reason else outcome.kind] += 1
        problem = self.known.problem(name, shape, major, outcome)
        if problem:
            self.status = max(self.status, 1)
            click.echo(f"{styled('FAIL', fg='red')}  {problem}")

    def _compare(
        self, version: str, shapes: Sequence[Shape], results: dict[evidence.Pair, PairOutcome]
    ) -> None:
        if self.refresh:
            evidence.save(self.project, version, self.documents, shapes, results)
            return
        lines = evidence.changes(evidence.load(self.project), results)
        if lines:
            self.status = max(self.status, 1)
            file = self.project.relative(evidence.file_of(self.project))
            click.echo(f"{styled('FAIL', fg='red')}  PostgreSQL {version} differs from {file}")
            for line in lines:
                click.echo(f"    {line}")
            accept = f"pgrehearse rehearse --zoo --refresh --pg {number(version)}{self._named}"
            click.echo(f"  next: find out why, then accept it with `{accept}`")

    def summary(self) -> None:
        """How many ended how, and how long it took."""
        order = [*GREEN, *sorted(set(self.counts) - set(GREEN))]
        said = ", ".join(f"{self.counts[kind]} {kind}" for kind in order if self.counts[kind])
        seconds = time.monotonic() - self.started
        click.echo(f"{self.counts.total()} pairs of a runbook and a shape in {seconds:.0f} s: {said}")


def visited(visit: ZooTour, servers: Servers, majors: Sequence[int | None]) -> int:
    """Carry ``visit`` out on the servers of ``majors``; the exit status."""
    visit.must_fit()
    for major in majors:
        try:
            visit.on(servers, major)
        except PgRehearseError as error:
            visit.status = max(visit.status, error.exit_code)
            click.echo(str(error))
    visit.summary()
    if not visit.counts and not visit.status:
        raise SetupError("nothing was tried: these shapes are for other servers", next_step="--pg all")
    return visit.status
