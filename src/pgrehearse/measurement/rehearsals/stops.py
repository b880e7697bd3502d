"""The cells of Apply as single statements, so that a run can be stopped before, in and after each of them.

Statements that ``\\gexec`` generates are statements of their own here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from psycopg.pq import DiagnosticField, ExecStatus

from pgrehearse.execution.cell_messages import messages
from pgrehearse.execution.executor import Executor
from pgrehearse.execution.session import Message, Session
from pgrehearse.measurement.rehearsals.rehearsal import Surprise
from pgrehearse.text.document import Cell
from pgrehearse.text.statement import classify

__all__ = ["StepStatement", "steps", "walk"]

#: Statements over in no time that change nothing outside their session: no reason to stop in them.
_INSTANT = ("set", "reset", "begin", "start", "commit", "end", "rollback", "show", "deallocate")


@dataclass(frozen=True)
class StepStatement:
    """One statement. ``number`` counts all statements of Apply; ``last`` is the last one of its cell."""

    number: int
    cell: Cell
    sql: str
    last: bool

    @property
    def instant(self) -> bool:
        return classify(self.sql).verb in _INSTANT

    @property
    def title(self) -> str:
        """The statement in a few words."""
        line = " ".join(self.sql.split())
        return line if len(line) <= 100 else line[:99] + "…"


def steps(executor: Executor, cells: list[Cell]) -> Iterator[tuple[StepStatement, Session]]:
    """The statements of ``cells`` in order, each with its session; the caller sends it, or does not.

    A query before ``\\gexec`` is sent here, when the statements before it have run.
    Raises Surprise when such a query fails.
    """
    number = 0
    for cell in cells:
        session = executor.session(cell.options.session)
        texts = messages(cell, executor.values, executor.path)
        for message in texts:
            sent = _generated(session, message.sql, cell) if message.gexec else [message.sql]
            for index, one in enumerate(sent):
                last = message is texts[-1] and index + 1 == len(sent)
                yield StepStatement(number, cell, one, last), session
                number += 1


def walk(session: Session, step: StepStatement, while_waiting: Callable[[], bool] | None = None) -> bool:
    """Send ``step`` and wait for its end; True when ``while_waiting`` said to leave it where it is.

    Raises Surprise when it raises an error its cell does not expect.
    """
    session.start([Message(step.sql, 1)])
    while not session.pump(0.003 if while_waiting else 1.0):
        if while_waiting is not None and while_waiting():
            return True
    if session.error is not None and session.error.sqlstate != step.cell.options.expect:
        raise Surprise(f"{step.title}: {session.error.text}")
    return False


def _generated(session: Session, sql: str, cell: Cell) -> list[str]:
    # libpq's PQexec waits, whatever the mode of the connection.
    result = session.pgconn.exec_(sql.encode())
    if result.status != ExecStatus.TUPLES_OK:
        raise Surprise(f"line {cell.first_line}: {_message(result.error_field)}")
    values = (
        result.get_value(row, column) for row in range(result.ntuples) for column in range(result.nfields)
    )
    return [value.decode() for value in values if value is not None]


def _message(field: Callable[[DiagnosticField], bytes | None]) -> str:
    return (field(DiagnosticField.MESSAGE_PRIMARY) or b"the query failed").decode("utf-8", "replace")
