"""What a cell says against what it did: its output, and the error it raised or did not raise."""

from __future__ import annotations

from pgrehearse.execution.bounds import too_long
from pgrehearse.execution.output_match import diff, matches
from pgrehearse.execution.results import wrong
from pgrehearse.execution.session import StatementError
from pgrehearse.findings import Finding
from pgrehearse.text.answers import stopped, unseen
from pgrehearse.text.document import LOOKING, Cell
from pgrehearse.troubles import elsewhere

__all__ = ["LOST", "check_output", "error_failure", "spaced"]

#: What is said where the session was gone before the statement had ended.
LOST = "the connection was lost"
_LOOKS = "Preflight and Verify only look: change something in Apply, or temporary objects alone"

_ASKS = (
    r"a query that ends in \gexec only looks, for it is asked again after an interruption:"
    " change something in a statement of its own"
)


def _looks(cell: Cell) -> str:
    return _LOOKS if cell.phase in LOOKING else _ASKS


def spaced(outputs: list[str]) -> list[str]:
    """psql leaves a blank line after each table."""
    return [
        text + "\n"
        if text.endswith(("row)", "rows)")) and text[0] in " -" and position + 1 < len(outputs)
        else text
        for position, text in enumerate(outputs)
    ]


def check_output(cell: Cell, output: str, major: int) -> Finding | None:
    """The failure of a cell whose output is not what the text fence after it says of servers of ``major``."""
    expected = cell.expected.on(major) if cell.expected else None
    if expected is None or matches(expected.text, output):
        return None
    message, next_step = "the output differs", "mend the statement, or accept the new output with --accept"
    if found := stopped(output):
        message, next_step = f"stop: {found}", "resolve what the check names, then run it again"
    elif found := unseen(expected.text, output):
        message = f"unseen: {found}"
        next_step = "ask as a member of pg_read_all_stats, or decide that it may stay unseen and go on"
    return wrong(
        message,
        expected.line,
        statement=cell.source.strip(),
        detail=diff(expected.text, output),
        next_step=next_step,
    )


def error_failure(cell: Cell, error: StatementError | None) -> Finding | None:
    """The failure of a cell that raised what it did not expect, or did not raise what it did."""
    expect = cell.options.expect
    if error is None:
        if expect is None:
            return None
        return wrong(
            f"nothing was raised; SQLSTATE {expect} was expected",
            cell.first_line,
            statement=cell.source.strip(),
            next_step="remove expect, or mend the statement that should fail",
        )
    line = cell.line + error.line
    if error.too_long:
        return too_long(cell, line, error.statement)
    if error.lost and (not error.sqlstate or error.sqlstate != expect):
        return wrong(
            LOST,
            line,
            statement=error.statement,
            detail=error.text,
            next_step="look at the server's log: it was stopped, it crashed, or the session was terminated",
        )
    if error.sqlstate != expect:
        wanted = f"SQLSTATE {expect} was expected, it raised" if expect else "it raised SQLSTATE"
        return wrong(
            f"{wanted} {error.sqlstate}",
            line,
            statement=error.statement,
            detail=error.text,
            next_step=_looks(cell)
            if cell.phase and error.sqlstate == "25006"
            else elsewhere(error.text, f'mend the statement, or expect it: expect="{error.sqlstate}"'),
            sqlstate=error.sqlstate,
        )
    if error.unsent:
        return wrong(
            f"the expected error came before the last statement; {error.unsent} never ran",
            line,
            statement=error.statement,
            next_step="put the statements after the failing one into a cell of their own",
        )
    return None
