"""Rehearses documents: a fresh database each, every cell in order, a record of what happened."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pgrehearse import files
from pgrehearse.clock import today
from pgrehearse.errors import DocumentError, PgRehearseError
from pgrehearse.execution import records
from pgrehearse.execution.accept import accepted
from pgrehearse.execution.databases import Databases
from pgrehearse.execution.executor import Executor
from pgrehearse.execution.record_basis import surroundings
from pgrehearse.execution.results import CellResult, DocumentResult
from pgrehearse.servers import Servers
from pgrehearse.servers.base import Server
from pgrehearse.text import lint
from pgrehearse.text.document import Cell, Document, load
from pgrehearse.text.project import Project
from pgrehearse.text.snippets import Snippets

__all__ = ["Fresh", "Rehearser", "check_form", "run_cells"]


def check_form(document: Document, project: Project) -> None:
    """Raise DocumentError, with every problem, when the document must not be run as it stands."""
    if document.foreign:
        return
    problems = lint.errors(document)
    if problems:
        raise DocumentError.of(problems)
    for cell in Snippets.of(document, project).out_of_sync(document):
        raise DocumentError(
            f"this cell differs from the snippet {cell.options.snippet!r} it names",
            path=document.path,
            line=cell.line,
            next_step="run `pgrehearse sync` to rewrite it, or change the snippet",
        )


@dataclass
class Fresh:
    """A fresh database; set ``keep`` to leave it behind."""

    server: Server
    databases: Databases
    name: str
    keep: bool = False

    def executor(self, document: Document, *, compare: bool = True) -> Executor:
        """An executor on this database with the document's example values."""
        return Executor(
            self.server.dsn(self.name),
            environment=self.server.env(self.name),
            path=document.path,
            major=self.server.major,
            values=document.front.examples(),
            compare=compare,
            project=self.databases.project,
            programs=document.front.programs,
        )


class Rehearser:
    """Runs documents on the servers of ``servers`` and leaves a record of each run.

    Args:
        project: where snippets, migrations and records are.
        servers: the pool to take servers from; closed by ``close``.
        keep: keep the database of a document that failed.
    """

    def __init__(self, project: Project, servers: Servers, *, keep: bool = True) -> None:
        self.project = project
        self.servers = servers
        self.keep = keep
        self._databases: dict[str, Databases] = {}
        #: servers with a database to be kept, by id
        self._kept: set[str] = set()
        self._open = 0  # databases that documents have now
        self._used: set[str] = set()  # servers whose document has been run to its end, by id
        #: results of bash cells by index, of each document (path and text) that ran on a major
        self.bash: dict[tuple[Path, str, int], dict[int, CellResult]] = {}

    def __enter__(self) -> Rehearser:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop what is left, stop the servers; those with a kept database leave their data."""
        for databases in self._databases.values():
            with suppress(PgRehearseError):
                databases.close()
        self._databases.clear()
        self.servers.close(keep=self._kept)

    @contextmanager
    def fresh(
        self, document: Document, major: int | None = None, source: str | None = None
    ) -> Iterator[Fresh]:
        """A fresh database for ``document``, dropped afterwards unless ``keep`` was set on it.

        It is a copy of the database ``source``; without one, of what the document's front matter wants.
        """
        databases = self._place(document, major)
        server = databases.server
        hint = document.path.stem
        name = (
            databases.maker.create(hint, source) if source else databases.fresh(document.front.database, hint)
        )
        fresh = Fresh(server, databases, name)
        self._open += 1
        try:
            yield fresh
        finally:
            self._open -= 1
            if fresh.keep:
                databases.keep(fresh.name)
                self._kept.add(server.id)
            else:
                with suppress(PgRehearseError):
                    databases.drop(fresh.name)

    def _place(self, document: Document, major: int | None) -> Databases:
        """A server for ``document`` on which no other document left anything."""
        databases = self._on(self.servers.get(major))
        if self._open or (databases.document == document.path and databases.server.id not in self._used):
            return databases
        if databases.left() and databases.server.ours:
            kept = databases.server.id in self._kept
            self._databases.pop(databases.server.id).abandon()
            self.servers.replace(databases.server, keep=kept)
            databases = self._on(self.servers.get(major))
        self._used.discard(databases.server.id)
        databases.begin(document.path)
        return databases

    def _on(self, server: Server) -> Databases:
        return self._databases.setdefault(server.id, Databases(server, self.project))

    @contextmanager
    def _at_stake(self, document: Document, major: int) -> Iterator[None]:
        """A run that ends without a result takes the proof of earlier ones away."""
        try:
            yield
        except BaseException:
            records.forget(self._records, self.project.relative(document.path), major)
            raise

    def rehearse(
        self,
        document: Document,
        major: int | None = None,
        upcoming: Document | None = None,
        *,
        compare: bool = True,
        keep_going: bool = False,
    ) -> DocumentResult:
        """Run ``document`` on a fresh database of server ``major``.

        ``keep_going``: see `run_cells`.
        ``upcoming`` is the document that comes next, if known: its database is made meanwhile.
        Raises DocumentError when the document's form is wrong, SetupError when there is no server.
        """
        check_form(document, self.project)
        started = time.monotonic()
        with self.fresh(document, major) as fresh, self._at_stake(document, fresh.server.major):
            with fresh.executor(document, compare=compare) as executor:
                if any(cell.language == "python" for cell in document.cells):
                    executor.python.warm()
                if upcoming is not None:
                    with suppress(PgRehearseError):  # it fails again, with the document it belongs to
                        fresh.databases.prepare(upcoming.front.database)
                setup = time.monotonic() - started
                cells = run_cells(executor, document.in_order(), document.cells, keep_going=keep_going)
                busy = executor.busy_seconds()
            server = fresh.server
            fresh.keep = self.keep and any(result.failure for result in cells) and server.alive()
        left = tuple(fresh.databases.left()) if server.alive() else ()
        self._used.add(server.id)
        result = DocumentResult(
            document,
            server.major,
            server.version,
            tuple(cells),
            seconds=time.monotonic() - started,
            setup_seconds=setup,
            busy_seconds=busy,
            psql_line=server.kept_line(fresh.name) if fresh.keep else "",
            notes=() if server.alive() else ("the server ended; its log:\n" + server.log_tail(),),
            left=() if server.ours else left,
        )
        if left and server.ours:
            note = f"left on the server, so the next document gets another: {', '.join(left)}"
            result = replace(result, notes=(*result.notes, note))
        bash = {result.cell.index: result for result in cells if result.cell.language == "bash"}
        self.bash[document.path, document.text, server.major] = bash
        if result.left:
            records.forget(self._records, self.project.relative(document.path), server.major)
        elif compare and not document.foreign:
            self._record(result)
        return result

    def accept(self, document: Document, major: int | None = None) -> tuple[DocumentResult, list[int]]:
        """Run ``document``, take its outputs as the expected ones, and run it again to check them.

        Returns the result of the last run and the lines of the fences that were rewritten. A document that
        fails for another reason than its outputs is left as it is.
        """
        result = self.rehearse(document, major, compare=False)
        if not result.green:
            return result, []
        text, changed = accepted(document, result.cells, result.major)
        if changed:
            files.write(document.path, text)
        return self.rehearse(load(document.path), major), changed

    def _record(self, result: DocumentResult) -> None:
        cells = tuple(_cell_record(cell) for cell in result.cells)
        digest = records.text_digest(result.document.text)
        around = surroundings(self.project, result.document)
        run = records.Run(result.version, today(), digest, round(result.seconds, 3), cells, around)
        name = self.project.relative(result.document.path)
        records.save(self._records, name, result.major, run)

    @property
    def _records(self) -> Path:
        return self.project.records / "records"


def run_cells(
    executor: Executor, order: Iterable[Cell], cells: Sequence[Cell], *, keep_going: bool = False
) -> list[CellResult]:
    """Run the cells of ``order`` until one fails. Returns results for ``cells``, those left as ``notrun``.

    ``keep_going``: also those after a failure, on what it left; transactions that it broke are rolled back.
    """
    results: dict[int, CellResult] = {}

    def take(new: list[CellResult]) -> bool:
        results.update({result.cell.index: result for result in new})
        return any(result.failure for result in new)

    for cell in order:
        if take(executor.run(cell)) and not (keep_going and executor.recovered()):
            break
    else:
        take(executor.finish())
    return [results.get(cell.index) or _not_run(cell) for cell in cells]


def _not_run(cell: Cell) -> CellResult:
    return CellResult(cell, "notrun", reason="an earlier cell failed")


def _cell_record(result: CellResult) -> records.CellRecord:
    failure = result.failure
    return records.CellRecord(
        digest=result.cell.digest,
        language=result.cell.language,
        line=result.cell.line,
        status=result.status,
        seconds=round(result.seconds, 4),
        message=failure.message if failure else result.reason,
        message_line=failure.line if failure else 0,
        output=(failure.detail or result.output) if failure else "",
        sent=result.sent,
    )
