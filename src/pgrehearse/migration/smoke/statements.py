"""Carries out the statements of an entry, undoes them, and keeps what the last one did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from pgrehearse.errors import ExpectationError
from pgrehearse.migration.smoke.contract import Entry
from pgrehearse.text import variables

__all__ = ["EntryOutcome", "carry_out", "must_be_true", "must_return", "said", "text_of", "undone"]

_SAVEPOINT = "pgrehearse_smoke"


@dataclass(frozen=True)
class EntryOutcome:
    """What the last statement of an entry did: an error, or rows as text (None is NULL)."""

    error: psycopg.Error | None
    rows: tuple[tuple[str | None, ...], ...]
    count: int
    line: int


@contextmanager
def undone(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Undo what the block does, an error that ended its transaction included."""
    connection.execute(f"SAVEPOINT {_SAVEPOINT}".encode())
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}".encode())
            connection.execute(f"RELEASE SAVEPOINT {_SAVEPOINT}".encode())


def carry_out(
    connection: psycopg.Connection[Any], entry: Entry, values: Mapping[str, str] | None = None
) -> EntryOutcome:
    """Run the statements of ``entry`` and undo them; deferred constraints count as part of the last.

    Raises ExpectationError: a statement that prepares failed.
    """
    with undone(connection):
        for statement in entry.statements[:-1]:
            try:
                connection.execute(variables.substitute(statement.sql, values or {}).encode())
            except psycopg.Error as error:
                raise ExpectationError(
                    f"a statement that prepares failed: {said(error)}", line=statement.line
                ) from None
        last = entry.statements[-1]
        try:
            cursor = connection.execute(variables.substitute(last.sql, values or {}).encode())
            rows, count = text_of(cursor), cursor.rowcount
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg.Error as error:
            return EntryOutcome(error, (), 0, last.line)
        return EntryOutcome(None, rows, count, last.line)


def text_of(cursor: psycopg.Cursor[Any]) -> tuple[tuple[str | None, ...], ...]:
    """All rows the way the server wrote them."""
    result = cursor.pgresult
    if result is None or cursor.description is None:
        return ()
    values = (
        tuple(result.get_value(row, column) for column in range(result.nfields))
        for row in range(result.ntuples)
    )
    return tuple(tuple(None if v is None else v.decode() for v in row) for row in values)


def must_return(expected: str, outcome: EntryOutcome) -> None:
    """Raise ExpectationError unless the one row is ``expected``: values joined by |, no row for nothing."""
    rows = ["|".join("" if v is None else v for v in row) for row in outcome.rows]
    if expected == "nothing":
        if rows:
            raise ExpectationError(f"{len(rows)} rows came, the first: {rows[0]}")
    elif rows != [expected]:
        raise ExpectationError(f"it returned {'; '.join(rows[:3]) or 'nothing'}, not {expected}")


def must_be_true(outcome: EntryOutcome) -> None:
    """Raise ExpectationError unless every value of every row is true, and there is one."""
    values = {value for row in outcome.rows for value in row}
    if values != {"t"}:
        came = ", ".join(sorted(str(value) for value in values)) or "nothing"
        raise ExpectationError(f"the statement must return true, and returned {came}")


def said(error: psycopg.Error) -> str:
    """The first line of an error and its SQLSTATE."""
    lines = str(error).strip().splitlines()
    return f"{lines[0] if lines else type(error).__name__} ({error.sqlstate})"
