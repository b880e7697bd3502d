"""What a migration must not hold, because a runner could not send, record or resume it."""

from __future__ import annotations

from pgrehearse.errors import DocumentError
from pgrehearse.text.concurrent import built_index
from pgrehearse.text.migration_files import Migration, Section
from pgrehearse.text.split import SplitError, Statement, split
from pgrehearse.text.statement import Control, classify

__all__ = ["statements"]


def statements(migration: Migration, section: Section) -> list[Statement]:
    """The statements of a section. Raises DocumentError for what a runner cannot send, record or resume."""
    try:
        found = split(section.sql)
    except SplitError as error:
        line = section.line + error.line - 1
        raise DocumentError(error.message, path=migration.path, line=line, next_step=error.fix) from None
    for statement in found:
        problem = _problem(statement, section)
        if problem:
            line = section.line + statement.line - 1
            raise DocumentError(problem[0], path=migration.path, line=line, next_step=problem[1])
    return found


def _problem(statement: Statement, section: Section) -> tuple[str, str] | None:
    """What is wrong, and what to do."""
    kind = classify(statement)
    if statement.gexec:
        return "\\gexec is a command of psql", "write the statement itself, or a DO block"
    if kind.control not in (None, Control.WITHIN):
        two = kind.words[1:2] == ("transaction",) and kind.verb in ("start", "prepare")
        said = " ".join(kind.words[: 2 if two else 1]).upper()
        return f"{said}: the runner begins and ends transactions", "remove the line"
    if kind.unlocks:
        return (
            "this statement gives up the lock that keeps a second runner away",
            "name what is to be given up: RESET, DEALLOCATE, pg_advisory_unlock(key)",
        )
    if kind.alone and section.transaction:
        return (
            "this statement refuses a transaction, and the section is one",
            "write `transaction:false` after `-- migrate:up` (or down), and give it a file of its own",
        )
    if kind.concurrent and kind.verb == "create" and built_index(statement.sql) is None:
        return (
            "this index has no name, so the remains of an interrupted build could not be told",
            "write one after CONCURRENTLY",
        )
    if not section.transaction and kind.temporary and not kind.routine:
        return (
            "a temporary table is gone when an interrupted run is resumed",
            "use an ordinary table and drop it in the last statement",
        )
    return None
