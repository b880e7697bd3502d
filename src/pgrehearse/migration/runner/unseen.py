"""What a statement did to the session, unseen from its text: the next run would not have it again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from pgrehearse.errors import ExpectationError
from pgrehearse.execution.runbook.session_state import SessionState
from pgrehearse.migration.runner.ledger_rows import AttemptRow
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.migration_grammar import Section
from pgrehearse.text.split import Statement
from pgrehearse.text.statement import classify

__all__ = ["must_be_mended", "noticed"]

#: Statements that call functions or procedures, which may do anything to the session.
_CALLING = ("call", "do", "execute", "explain", "select", "table", "values", "with")
_NEXT = "write a SET of its own right after the statement, for what follows; then run it again"


@contextmanager
def noticed(
    connection: psycopg.Connection[Any], path: Path, section: Section, statement: Statement, *, followed: bool
) -> Iterator[None]:
    """Raise ExpectationError when the block, which carries out ``statement``, changed the session.

    ``followed``: others come after it.
    """
    if not followed or classify(statement).verb not in _CALLING:
        yield
        return
    state = SessionState(section.sql)
    before = state.seen(connection)
    yield
    after = state.seen(connection)
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    if changed:
        raise ExpectationError(
            f"this statement is done, and has left {', '.join(changed)} to those after it, which no text says"
            " and an interrupted run would not have again",
            path=path,
            line=section.line + statement.line - 1,
            next_step=_NEXT,
        )


def must_be_mended(attempts: Sequence[AttemptRow], migration: Migration, statements: int) -> None:
    """Raise ExpectationError: an attempt ended so, and the file, of so many statements, is as it was."""
    for attempt in attempts:
        half = 0 < len(attempt.statements) < statements
        stopped = attempt.outcome == "failed" and all(one.outcome == "done" for one in attempt.statements)
        if half and stopped and attempt.sha256 == migration.sha256:
            raise ExpectationError(
                f"refused: an earlier run stopped between two statements, and the file is as it was:"
                f" {attempt.error}",
                path=migration.path,
                line=attempt.statements[-1].line,
                next_step=_NEXT,
            )
