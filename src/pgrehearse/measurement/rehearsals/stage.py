"""Where rehearsals play: the situation a runbook is for, made once, and a fresh copy of it for every try."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from pgrehearse.connections import connect
from pgrehearse.errors import SetupError
from pgrehearse.execution.executor import Executor
from pgrehearse.execution.maker import Maker
from pgrehearse.execution.rehearser import Rehearser, run_cells
from pgrehearse.execution.results import CellResult
from pgrehearse.measurement.rehearsals.rehearsal import Surprise
from pgrehearse.schema.contents import Contents, state_of
from pgrehearse.servers import Server
from pgrehearse.text.document import Cell, Document

__all__ = ["Stage", "on_stage"]

#: Seconds a cell may take that has no timeout of its own; a load beside it makes it slower.
TIMEOUT = 300.0
#: Seconds a terminated backend may take to go.
_TERMINATION = 30.0


class Stage:
    """A database in which the Rehearsal phase of ``document`` has run: nobody works in it, tries are copies.

    Args:
        document: the runbook.
        server: the server it is on.
        database: its name.
        maker: makes the copies.
    """

    def __init__(self, document: Document, server: Server, database: str, maker: Maker) -> None:
        self.document = document
        self.server = server
        self.database = database
        self._maker = maker
        self.set_up = [cell for cell in document.cells if cell.phase == "Rehearsal"]
        self.back = [cell for cell in document.cells if cell.phase == "Roll back"]
        self.forward = [cell for cell in document.cells if cell.phase not in ("Rehearsal", "Roll back")]

    @contextmanager
    def copy(self) -> Iterator[str]:
        """A copy of the prepared database, marked disposable, dropped afterwards."""
        with self._maker.temporary("try", self.database) as name:
            yield name

    def executor(self, database: str, *, compare: bool = True) -> Executor:
        """Sessions of one run in ``database``, with the example values; ``compare`` checks outputs."""
        return Executor(
            self.server.dsn(database),
            environment=self.server.env(database),
            path=self.document.path,
            major=self.server.major,
            values=self.document.front.examples(),
            timeout=TIMEOUT,
            compare=compare,
        )

    def play(self, database: str, cells: Sequence[Cell], when: str) -> None:
        """Run ``cells`` in new sessions. Raises Surprise when one fails; ``when`` says where we are."""
        with self.executor(database) as executor:
            self.watch(executor, cells, when)

    def watch(
        self,
        executor: Executor,
        cells: Sequence[Cell],
        when: str,
        begin: Callable[[Cell], None] = lambda _: None,
    ) -> list[CellResult]:
        """Run ``cells`` in the sessions of ``executor``; ``begin`` is told each before it is sent.

        Raises Surprise when one of them fails.
        """

        def announced() -> Iterator[Cell]:
            for cell in cells:
                begin(cell)
                yield cell

        results = run_cells(executor, announced(), cells)
        for result in results:
            if result.failure is not None:
                detail = " ".join(result.failure.detail.split())[:300]
                where = f"line {result.failure.line}"
                raise Surprise(f"{when}: {where}: {result.failure.message}{': ' if detail else ''}{detail}")
        return results

    def state(self, database: str) -> Contents:
        """What is in ``database`` now."""
        return state_of(self.server.dsn(database))

    def terminate(self, pids: Sequence[int]) -> None:
        """Terminate the backends ``pids``; returns when they are gone. Raises SetupError when one stays."""
        limit = time.monotonic() + _TERMINATION
        with connect(self.server.dsn(), autocommit=True) as admin:
            # The function's own timeout looks ten times a second only.
            question = (
                "SELECT pg_catalog.pg_terminate_backend(pid)"
                " FROM pg_catalog.pg_stat_activity WHERE pid = ANY (%s)"
            )
            while admin.execute(question, [list(pids)]).fetchall():
                if time.monotonic() > limit:
                    raise SetupError(f"backends {pids} do not end", next_step="look at the server's log")
                time.sleep(0.002)


@contextmanager
def on_stage(
    rehearser: Rehearser, document: Document, major: int | None, rows: int | None = None
) -> Iterator[Stage]:
    """Prepare the situation of ``document``; ``rows`` overrides the size of the example data.

    Raises Surprise when a cell of the phase Rehearsal fails, SetupError when there is no server.
    """
    if rows is not None and not document.front.database.empty:
        database = replace(document.front.database, rows=max(rows, document.front.database.rows))
        document = replace(document, front=replace(document.front, database=database))
    with rehearser.fresh(document, major) as fresh:
        stage = Stage(document, fresh.server, fresh.name, fresh.databases.maker)
        stage.play(fresh.name, stage.set_up, "set-up")
        yield stage
