"""Files of SQL that somebody else wrote, such as dumps, carried out statement by statement.

Not by psql: see `text.script`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from pgrehearse.errors import DocumentError
from pgrehearse.text import characters, script, variables
from pgrehearse.text.passwords import redacted
from pgrehearse.text.split import SplitError, Statement

__all__ = ["RefusedStatement", "load", "read", "run"]


@dataclass(frozen=True)
class RefusedStatement:
    """A statement of a file that PostgreSQL refused. ``line`` is where it begins."""

    statement: Statement
    line: int
    text: str
    sqlstate: str


def read(file: Path, values: Mapping[str, str] = {}) -> list[Statement]:
    """The statements of ``file``, with ``values`` for its variables.

    Raises DocumentError: see `characters.read`; a command of psql's, a variable without a value.
    """
    try:
        found = script.statements(characters.read(file).replace("\r\n", "\n"))
    except SplitError as error:
        raise DocumentError(error.message, path=file, line=error.line, next_step=error.fix) from None
    return [_with(one, values, file) for one in found] if values else found


def load(connection: psycopg.Connection[Any], todo: Iterable[Statement]) -> Iterator[RefusedStatement]:
    """Carry out ``todo`` and tell what was refused, each when it happens: the rest waits for the caller.

    Args:
        connection: in autocommit mode, its role without powers that the file may not have.
    """
    for statement in todo:
        if (refused := run(connection, statement)) is not None:
            yield refused


def run(connection: psycopg.Connection[Any], statement: Statement) -> RefusedStatement | None:
    """Carry out one statement; what its ``\\gexec`` generates, too."""
    try:
        cursor = connection.cursor()
        if statement.rows is not None:
            with cursor.copy(statement.sql.encode()) as copy:
                copy.write(statement.rows.encode())
            return None
        cursor.execute(statement.sql.encode())
        if statement.gexec:
            for value in (value for row in cursor.fetchall() for value in row if value is not None):
                connection.execute(str(value).encode())
    except psycopg.Error as error:
        position = int(error.diag.statement_position or 1)
        line = statement.line + statement.sql.count("\n", 0, position - 1)
        text = error.diag.message_primary or (str(error).strip().splitlines() or ["no reason"])[0]
        return RefusedStatement(statement, line, redacted(statement.sql, text), error.sqlstate or "")
    return None


def _with(statement: Statement, values: Mapping[str, str], file: Path) -> Statement:
    try:
        sql = variables.substitute(statement.sql, values)
    except KeyError as error:
        raise DocumentError(
            f"there is no variable {error.args[0]!r}",
            path=file,
            line=statement.line,
            next_step=f"known: {', '.join(values)}",
        ) from None
    return statement if sql == statement.sql else replace(statement, sql=sql, _tokens=())
