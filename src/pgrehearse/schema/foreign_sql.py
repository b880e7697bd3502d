"""Files of SQL that somebody else wrote, such as dumps, carried out statement by statement.

Not by psql: see `text.script`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from pgrehearse.errors import DocumentError, first_line
from pgrehearse.text import characters, script, variables
from pgrehearse.text.passwords import redacted
from pgrehearse.text.split import SplitError, Statement
from pgrehearse.text.statement import classify

__all__ = ["RefusedStatement", "load", "read", "refusal", "run"]

#: First words of what may be sent with others.
_DEFINITIONS = ("alter", "comment", "create", "grant", "revoke")
#: Statements in one message: their locks fit the smallest server's table of locks.
_TOGETHER = 200


@dataclass(frozen=True)
class RefusedStatement:
    r"""A statement of a file that PostgreSQL refused.

    Attributes:
        line: of what it refused; where the statement begins when that stands in what ``\\gexec`` generated.
        text, detail: what it says, without secrets.
    """

    statement: Statement
    line: int
    text: str
    sqlstate: str
    detail: str


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

    Definitions that follow each other are sent in one message, which is one transaction: a dump has tens of
    thousands, and most of their time is the way there and the commit. What is refused so is undone whole,
    then sent one by one.

    Args:
        connection: in autocommit mode, its role without powers that the file may not have.
    """
    for shares, statements in groupby(todo, key=_may_share):
        while part := list(islice(statements, _TOGETHER)):
            if shares and len(part) > 1 and _sent_together(connection, part):
                continue
            for statement in part:
                if (refused := run(connection, statement)) is not None:
                    yield refused


def run(connection: psycopg.Connection[Any], statement: Statement) -> RefusedStatement | None:
    """Carry out one statement; what its ``\\gexec`` generates, too."""
    sql = statement.sql
    try:
        cursor = connection.cursor()
        if statement.rows is not None:
            with cursor.copy(statement.sql.encode()) as copy:
                copy.write(statement.rows.encode())
            return None
        cursor.execute(statement.sql.encode())
        if statement.gexec:
            for value in (value for row in cursor.fetchall() for value in row if value is not None):
                sql = str(value)
                connection.execute(sql.encode())
    except psycopg.Error as error:
        return refusal(error, statement, sql)
    return None


def refusal(error: psycopg.Error, statement: Statement, sql: str) -> RefusedStatement:
    """What ``error`` says of ``sql``: ``statement``, or what it generated."""
    position = int(error.diag.statement_position or 1) if sql == statement.sql else 1
    return RefusedStatement(
        statement,
        statement.line + statement.sql.count("\n", 0, position - 1),
        redacted(sql, error.diag.message_primary or first_line(error)),
        error.sqlstate or "",
        redacted(sql, error.diag.message_detail or ""),
    )


def _may_share(statement: Statement) -> bool:
    """Whether it means the same within a transaction of others."""
    kind = classify(statement)
    plain = not (statement.gexec or statement.rows is not None or kind.alone or kind.of_the_session)
    return plain and kind.verb in _DEFINITIONS


def _sent_together(connection: psycopg.Connection[Any], part: Sequence[Statement]) -> bool:
    """Whether all of it was done; else none of it was."""
    if connection.info.transaction_status != TransactionStatus.IDLE:
        return False  # the file has a transaction of its own, and a refusal would end it
    try:
        connection.execute("\n;\n".join(one.sql for one in part).encode())
    except psycopg.Error:
        return False
    return True


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
