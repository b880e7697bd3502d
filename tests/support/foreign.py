"""A database with tables of somebody's own; runbooks played on it as the role that owns them and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from pgrehearse.execution.executor import Executor
from pgrehearse.execution.results import CellResult
from pgrehearse.schema.contents import Contents, state_of
from pgrehearse.servers import Server, start
from pgrehearse.text.document import load
from support.majors import TEST_MAJOR

__all__ = ["BACK", "FORWARD", "OWNER", "Foreign", "Values", "foreign_database", "foreign_server"]

RUNBOOKS = Path(__file__).parents[2] / "runbooks"
FORWARD = ("Preflight", "Apply", "Verify")
BACK = ("Roll back",)
OWNER = "table_owner"
Values = dict[str, str]


@contextmanager
def foreign_server() -> Iterator[Server]:
    """A server that has the role."""
    with start(TEST_MAJOR, settings={"wal_level": "logical"}) as running:
        with psycopg.connect(running.dsn(), autocommit=True) as admin:
            admin.execute(f"CREATE ROLE {OWNER} LOGIN IN ROLE pg_read_all_stats")
        yield running


@contextmanager
def foreign_database(server: Server) -> Iterator[Foreign]:
    """An empty database of the role, dropped afterwards."""
    name = "foreign_one"
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
        try:
            yield Foreign(server, name)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Foreign:
    """A database with a table of somebody's own."""

    def __init__(self, server: Server, name: str) -> None:
        self.server, self.name = server, name
        self.conninfo = make_conninfo(server.dsn(name), user=OWNER)

    def has(self, *statements: str) -> None:
        """Carry them out as the role that owns the database."""
        _carry_out(self.conninfo, statements)

    def as_superuser(self, *statements: str) -> None:
        """Carry them out as a platform does that keeps superuser for itself."""
        _carry_out(self.server.dsn(self.name), statements)

    def state(self) -> Contents:
        return state_of(self.server.dsn(self.name))

    def play(
        self,
        runbook: str,
        phases: tuple[str, ...],
        values: Values,
        after_cell: Callable[[int], None] = lambda number: None,
    ) -> str:
        """What went wrong in the phases, in new sessions; empty when nothing did."""
        document = load(RUNBOOKS / f"{runbook}.md")
        given = {n: p.default for n, p in document.front.parameters.items() if p.default is not None}
        cells = [cell for phase in phases for cell in document.cells if cell.phase == phase]
        with Executor(
            self.conninfo,
            environment={**self.server.env(self.name), "PGUSER": OWNER},
            path=document.path,
            major=self.server.major,
            values={**given, **values},
            timeout=120,
        ) as executor:
            for number, cell in enumerate(cells):
                wrong = _wrong(executor.run(cell))
                if wrong:
                    return wrong
                after_cell(number)
            return _wrong(executor.finish())


def _wrong(results: list[CellResult]) -> str:
    return "".join(
        f"{result.failure.message} {result.failure.detail}" for result in results if result.failure
    )


def _carry_out(conninfo: str, statements: tuple[str, ...]) -> None:
    with psycopg.connect(conninfo, autocommit=True) as session:
        for sql in statements:
            session.execute(sql.encode())
