"""Whom a runbook meets besides readers and writers: standbys, autovacuum, poolers, subscribers.

One line each, and only where it matters: it follows from the locks that were measured, from what the steps
keep in their session, and from the runbook's own parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pgrehearse.execution.runbook.framing import ends_with_session
from pgrehearse.site.content.headings import plain
from pgrehearse.site.parts.step_summary import StepSummary
from pgrehearse.text.claims import MODES
from pgrehearse.text.document import Cell, Document
from pgrehearse.text.split import split
from pgrehearse.text.statement import classify

__all__ = ["beside"]

#: A mode in the text of a lock, which may name majors before it.
_MODE = re.compile(rf"(?:^|: )({'|'.join(MODES)}) on ")
#: The weakest mode that VACUUM has to wait for, and the only one that standbys replay.
_WITH_VACUUM, _REPLAYED = "SHARE UPDATE EXCLUSIVE", "ACCESS EXCLUSIVE"


def beside(document: Document, rows: Sequence[StepSummary]) -> Iterator[tuple[str, str]]:
    """(who, what of them) for the runbook ``document``, whose steps did what ``rows`` say."""
    modes = {mode for row in rows for mode in _MODE.findall(row.hardest)}
    if _REPLAYED in modes:
        yield "Standbys", f"replay {_REPLAYED}: queries on the table wait there, or are canceled with 40001"
    if any(MODES.index(mode) >= MODES.index(_WITH_VACUUM) for mode in modes):
        yield "Autovacuum", "gives way to these locks, but not when it works against wraparound"
    if any(_keeps(cell) for cell in document.cells if cell.phase == "Apply"):
        yield "Poolers", "connect past one in transaction mode: steps share the settings of their session"
    if (subscribers := document.front.parameters.get("subscribers")) is not None:
        yield "Subscribers", f"parameter subscribers: {plain(subscribers.description)}"


def _keeps(cell: Cell) -> bool:
    """Whether ``cell`` leaves something in its session for the next one."""
    return cell.language == "sql" and any(ends_with_session(classify(one)) for one in split(cell.source))
