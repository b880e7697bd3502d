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

#: It gives way when who waits has waited so long: deadlock_timeout, as it comes.
_PATIENCE_MS = 1000
_LIMIT = re.compile(r"lock_timeout\s*(?:=|\bTO\b)\s*'*(?P<number>\d+)\s*(?P<unit>ms|s|min)?", re.IGNORECASE)
_UNITS = {"": 1, "ms": 1, "s": 1000, "min": 60000}
_YIELDS = "gives way after deadlock_timeout, one second, but not when it works against wraparound"
_STAYS = "does not give way to waits as short as some here: when it works on the table, run it later"


def beside(document: Document, rows: Sequence[StepSummary]) -> Iterator[tuple[str, str]]:
    """(who, what of them) for the runbook ``document``, whose steps did what ``rows`` say."""
    apply = [cell for cell in document.cells if cell.phase == "Apply"]
    modes = {mode for row in rows for mode in _MODE.findall(row.hardest)}
    if _REPLAYED in modes:
        yield "Standbys", f"replay {_REPLAYED}: queries on the table wait there, or are canceled with 40001"
    if any(MODES.index(mode) >= MODES.index(_WITH_VACUUM) for mode in modes):
        yield "Autovacuum", _YIELDS if not any(_in_a_hurry(cell) for cell in apply) else _STAYS
    if any(_keeps(cell) for cell in apply):
        yield "Poolers", "connect past one in transaction mode: steps share the settings of their session"
    if (subscribers := document.front.parameters.get("subscribers")) is not None:
        yield "Subscribers", f"parameter subscribers: {plain(subscribers.description)}"


def _keeps(cell: Cell) -> bool:
    """Whether ``cell`` leaves something in its session for the next one."""
    return cell.language == "sql" and any(ends_with_session(classify(one)) for one in split(cell.source))


def _in_a_hurry(cell: Cell) -> bool:
    """Whether ``cell`` gives up waiting for a lock before autovacuum would give way."""
    return any(
        0 < int(found["number"]) * _UNITS[(found["unit"] or "").lower()] < _PATIENCE_MS
        for found in _LIMIT.finditer(cell.source)
    )
