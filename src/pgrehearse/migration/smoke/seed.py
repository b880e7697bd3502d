"""Loads the seed into tables that are empty."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

from pgrehearse.errors import DocumentError, ExpectationError
from pgrehearse.migration.smoke import objects
from pgrehearse.text import variables
from pgrehearse.text.rows import filled
from pgrehearse.text.split import SplitError, split

__all__ = ["load_seed"]

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


def load_seed(connection: psycopg.Connection[Any], seed: Path, rows: int) -> bool:
    """Load ``seed`` with ``rows`` for ``:'rows'``, unless a table it fills has rows; whether it was loaded.

    Raises ExpectationError: a statement failed. DocumentError: the file cannot be read.
    """
    try:
        statements = split(variables.substitute(seed.read_text(encoding="utf-8"), {"rows": str(rows)}))
    except SplitError as error:
        raise DocumentError(error.message, path=seed, line=error.line, next_step=error.fix) from None
    except KeyError as error:
        raise DocumentError(
            f"the seed has a variable {error.args[0]!r}", path=seed, next_step="the one it may have is rows"
        ) from None
    tables = {name for statement in statements for name in filled(statement)}
    for table in sorted(tables) or objects.tables(connection):
        try:
            row = connection.execute(f"SELECT EXISTS (SELECT FROM {table})".encode()).fetchone()
        except psycopg.Error as error:
            raise _bad_seed(error, seed, 1) from None
        if row is not None and row[0]:
            return False
    for (sequence,) in connection.execute(_SEQUENCES, [sorted(tables)]).fetchall():
        connection.execute(f"ALTER SEQUENCE {sequence} RESTART".encode())
    for statement in statements:
        try:
            connection.execute(statement.sql.encode())
        except psycopg.Error as error:
            raise _bad_seed(error, seed, statement.line) from None
    return True


def _bad_seed(error: psycopg.Error, seed: Path, line: int) -> ExpectationError:
    lines = str(error).strip().splitlines()
    detail = f"; {error.diag.message_detail}" if error.diag.message_detail else ""
    return ExpectationError(
        f"the seed failed: {lines[0] if lines else error} ({error.sqlstate}){detail}",
        path=seed,
        line=line,
        next_step="mend the rows; or the constraint, if the rows are right",
    )
