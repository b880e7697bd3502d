"""The seed of a project: a file of SQL that fills its tables with ``:'rows'`` rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

from pgrehearse import queries
from pgrehearse.errors import DocumentError, ExpectationError
from pgrehearse.schema import foreign_sql
from pgrehearse.text import characters, variables
from pgrehearse.text.rows import filled
from pgrehearse.text.split import SplitError, Statement, split

__all__ = ["load", "load_where_empty"]

#: The sequences of the tables. An earlier run that was rolled back has moved them on, and the rows of a seed
#: know their numbers; RESTART is undone with the transaction, and so is what follows it.
_SEQUENCES = """
SELECT d.objid::pg_catalog.regclass::pg_catalog.text
  FROM pg_catalog.unnest(%s::pg_catalog.text[]) AS name
  JOIN pg_catalog.pg_depend AS d
    ON d.refobjid = pg_catalog.to_regclass(name) AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  JOIN pg_catalog.pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
 WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i')
"""
_TABLES = f"""
SELECT c.oid::pg_catalog.regclass::pg_catalog.text
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND {queries.APPLICATION_TABLE} ORDER BY 1
"""
Failure = type[DocumentError] | type[ExpectationError]


def load(
    connection: psycopg.Connection[Any],
    seed: Path,
    rows: int,
    *,
    shown: Path | str | None = None,
    failure: Failure = DocumentError,
) -> None:
    """Run ``seed`` with ``rows`` for ``:'rows'``, and what its ``\\gexec`` generate.

    Args:
        connection: in the transaction it is to be loaded in, or in autocommit mode.
        shown: how an error names the file; as ``seed`` does, unless given.
        failure: what is raised when a statement fails, with the line it fails on.

    Raises DocumentError: the file cannot be read.
    """
    _run(connection, _statements(seed, rows, shown or seed), shown or seed, failure)


def load_where_empty(connection: psycopg.Connection[Any], seed: Path, rows: int) -> bool:
    """`load`, unless a table that ``seed`` fills has rows; whether it was loaded.

    Raises ExpectationError: a statement failed. DocumentError: the file cannot be read.
    """
    statements = _statements(seed, rows, seed)
    named = sorted({name for statement in statements for name in filled(statement)})
    for table in named or [name for (name,) in connection.execute(_TABLES)]:
        look = Statement(f"SELECT EXISTS (SELECT FROM {table})", 1)
        try:
            row = connection.execute(look.sql.encode()).fetchone()
        except psycopg.Error as error:
            raise _failed(foreign_sql.refusal(error, look, look.sql), seed, ExpectationError) from None
        if row is not None and row[0]:
            return False
    for (sequence,) in connection.execute(_SEQUENCES, [named]).fetchall():
        connection.execute(f"ALTER SEQUENCE {sequence} RESTART".encode())
    _run(connection, statements, seed, ExpectationError)
    return True


def _statements(seed: Path, rows: int, shown: Path | str) -> list[Statement]:
    try:
        return split(variables.substitute(characters.read(seed).replace("\r\n", "\n"), {"rows": str(rows)}))
    except SplitError as error:
        raise DocumentError(error.message, path=shown, line=error.line, next_step=error.fix) from None
    except KeyError as error:
        raise DocumentError(
            f"the seed has a variable {error.args[0]!r}", path=shown, next_step="the one it may have is rows"
        ) from None


def _run(
    connection: psycopg.Connection[Any], statements: list[Statement], shown: Path | str, failure: Failure
) -> None:
    for statement in statements:
        if (refused := foreign_sql.run(connection, statement)) is not None:
            raise _failed(refused, shown, failure)


def _failed(
    refused: foreign_sql.RefusedStatement, shown: Path | str, failure: Failure
) -> DocumentError | ExpectationError:
    detail = f"; {refused.detail}" if refused.detail else ""
    return failure(
        f"the seed failed: {refused.text} ({refused.sqlstate}){detail}",
        path=shown,
        line=refused.line,
        next_step="mend the rows; or the constraint, if the rows are right",
    )
