"""What a step of a runbook sent, as a person would write it, and which of its cells only serve that.

A step that may be repeated asks first what is still to do: a query writes the statements, or none. A reader
wants the statements, so these stand on the page, from the record of a run; the query is folded.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from pgrehearse.execution.runbook.framing import kind_of
from pgrehearse.execution.runbook.plain_sql import ended
from pgrehearse.site.content.published import CellState
from pgrehearse.text.answers import single_row
from pgrehearse.text.characters import visible
from pgrehearse.text.document import LOOKING, Cell
from pgrehearse.text.split import split
from pgrehearse.text.variables import used

__all__ = ["Fold", "as_sent", "fold", "said_first"]

#: Phases whose statements a reader carries out.
_WORKING = ("Apply", "Roll back")
#: Why a check refuses, and where what refuses ends and what to do begins.
_REASON, _REST = re.compile(r"'+stop: ([^'%]+)"), re.compile(r"[;:,](?:\s|$)")
#: What a statement that calls a routine of the session says.
_HELP = "pg_temp."
#: Where a sentence ends.
_SENTENCE = re.compile(r"(?<=[.?])\s")
#: Reasons that the line in front of a check names.
_NAMED = 3


@dataclass(frozen=True)
class Fold:
    """A block behind one line. ``name``: of its snippet. ``check``: its output is folded with it."""

    summary: str
    name: str = ""
    check: bool = False


def as_sent(state: CellState) -> str:
    """The statements of a step as sent, without its bookkeeping; empty for a block that is sent as it is.

    A routine of the session is shown where a statement of the same block calls it.
    """
    cell = state.cell
    if cell.phase not in _WORKING or cell.language != "sql" or _is_check(cell) or _verbatim(cell):
        return ""
    work = [sql for sql in state.sent if _is_work(sql)]
    calls = any(_HELP in sql for sql in work)
    shown = [sql for sql in state.sent if sql in work or (calls and kind_of(sql).routine)]
    return visible("\n".join(ended(sql.strip()) for sql in shown))


def fold(state: CellState) -> Fold | None:
    """The line behind which a block of a runbook stands; None for one that is read."""
    cell = state.cell
    if cell.phase is None or cell.phase == "Rehearsal" or cell.language != "sql":
        return None
    name, reasons = cell.options.snippet or "", _reasons(cell.source)
    if as_sent(state):
        return Fold("How a run writes this, and leaves out what is done", name)
    if reasons and (_is_check(cell) or not _verbatim(cell)):
        asked = said_first(cell.source) if name else ""
        return Fold(asked or f"The check. It stops when: {reasons}", name, check=True)
    if _verbatim(cell) and any(_is_work(one.sql) for one in split(cell.source)):
        return None
    return Fold(said_first(cell.source) or "The query", name)


def said_first(source: str) -> str:
    """The first sentence of the comment that ``source`` begins with; empty without one."""
    lines = itertools.takewhile(lambda line: line.startswith(("-- ", "# ")), source.lstrip().split("\n"))
    return _SENTENCE.split(" ".join(line.lstrip("-# ").strip() for line in lines))[0]


def _is_check(cell: Cell) -> bool:
    return cell.phase in LOOKING or (cell.expected is not None and single_row(cell.expected.text) is not None)


def _verbatim(cell: Cell) -> bool:
    return not used(cell.source) and not any(one.gexec for one in split(cell.source))


def _is_work(sql: str) -> bool:
    """Whether a person would write ``sql``: it makes no temporary help, keeps no receipt, is no check."""
    kind = kind_of(sql)
    checks = kind.verb == "do" and bool(_REASON.search(sql))
    return not (kind.of_temporary or kind.temporary or checks or kind.verb == "select")


def _reasons(source: str) -> str:
    """When a check stops, as far as one line says; empty for what stops nothing."""
    reasons = list(dict.fromkeys(_REST.split(one)[0].strip() for one in _REASON.findall(source)))
    left = len(reasons) - _NAMED
    return "; ".join([*reasons[:_NAMED], *([f"and {left} more"] if left > 0 else [])])
