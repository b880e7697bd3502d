"""The steps of a run: cells in the order of their phases, with the values in, as they are sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pgrehearse.execution.runbook.framing import ends_with_session
from pgrehearse.execution.runbook.lock_waits import LockWaits
from pgrehearse.text import variables
from pgrehearse.text.document import LOOKING, Cell, Document
from pgrehearse.text.passwords import redacted
from pgrehearse.text.split import SplitError, split
from pgrehearse.text.statement import classify

__all__ = ["FORWARD", "Step", "steps_of"]

#: The phases of a run that nobody asked to do anything else.
FORWARD = ("Preflight", "Apply", "Verify")
_NUMBER = re.compile(r"^\d+\.\s+")


@dataclass(frozen=True)
class Step:
    """One cell of a run: its place in its phase, the heading it stands under, its text with the values in."""

    cell: Cell
    number: int
    of: int
    heading: str
    text: str

    @property
    def label(self) -> str:
        """Its place, and its heading without that one's own number: several steps may stand under it."""
        heading = _NUMBER.sub("", self.heading)
        return f"{self.cell.phase} {self.number}/{self.of}" + (f": {heading}" if heading else "")

    @property
    def confirmed(self) -> bool:
        """Whether somebody is asked first: not of a check, which is sent READ ONLY, nor of what ends with
        the session."""
        if self.cell.language != "sql":
            return True
        return self.cell.phase not in LOOKING and not self.only_of_the_session

    @property
    def shown(self) -> str:
        """Its text as it may be shown: without passwords."""
        return redacted(self.text) if self.cell.language == "sql" else self.text

    @property
    def statements(self) -> list[str]:
        """What is sent to PostgreSQL; nothing of a Python cell."""
        return [s.sql for s in split(self.text)] if self.cell.language == "sql" else []

    @property
    def only_of_the_session(self) -> bool:
        """Whether it does nothing that outlives the session: a new session needs it again."""
        return self.cell.language == "sql" and all(
            ends_with_session(classify(sql)) for sql in self.statements
        )

    @property
    def asks(self) -> bool:
        r"""Whether queries of it generate what is sent: what that is depends on the database."""
        return self.cell.language == "sql" and any(one.gexec for one in split(self.text))

    def concurrent(self, generated: Sequence[str]) -> bool:
        """Whether it commits in the middle of a statement: a failure may leave something behind.

        ``generated``: what its ``\\gexec`` sent.
        """
        return any(map(_commits_midway, (*self.statements, *generated)))


def _commits_midway(sql: str) -> bool:
    try:
        kind = classify(sql)
    except SplitError:  # generated, with a quote that nothing closes: PostgreSQL refuses it as a whole
        return False
    return kind.alone and kind.concurrent


def steps_of(
    document: Document,
    phases: Sequence[str],
    values: Mapping[str, str],
    lock_waits: LockWaits | None = None,
) -> list[Step]:
    """The cells of ``phases`` in that order; ``values`` holds every parameter.

    The timeout of a fence limits rehearsals: whether a long build is canceled is the operator's decision.
    """
    found, rewritten = [], (lock_waits or LockWaits()).rewritten
    for phase in phases:
        cells = [cell for cell in document.cells if cell.phase == phase]
        for number, cell in enumerate(cells, 1):
            above = [h for h in document.headings if h.line < cell.line]
            heading = above[-1].title if above and above[-1].level > 2 else ""
            sql = cell.language == "sql"
            source = rewritten(cell.source) if sql else cell.source
            own = replace(cell, source=source, options=replace(cell.options, timeout=None))
            text = variables.substitute(source, values) if sql else source
            found.append(Step(own, number, len(cells), heading, text))
    return found
