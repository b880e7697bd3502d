"""What a run tells and asks along the way; who carries it out decides how that looks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pgrehearse.execution.backoff import Pause
from pgrehearse.execution.runbook.preview import Part
from pgrehearse.execution.runbook.recorded import Unfinished
from pgrehearse.execution.runbook.steps import Step

if TYPE_CHECKING:  # which tells one of these
    from pgrehearse.execution.runbook.watch import Blocker, Progress

__all__ = ["Reporter"]


class Reporter(Protocol):
    """Called in the order of what happens. What it raises ends the run, and is logged by its type.

    A step that fails is not told but raised, as ExpectationError: it ends the run too.
    """

    def starts(self, log: Path, earlier: Unfinished | None) -> None:
        """The run begins and is logged in ``log``; steps that ``earlier`` has done are left out."""

    def tells(self, line: str) -> None:
        """Something about the run that its operator should know."""

    def step(self, step: Step) -> None:
        """This is next, and sent as ``step.text``; what may be shown of it is ``step.shown``."""

    def sends(self, step: Step, parts: Sequence[Part]) -> None:
        """What of ``step`` is sent, as the database is now, where queries of it generate statements.

        Told again, with a part, when that generates something else once it is due.
        """

    def asks(self, step: Step) -> bool:
        """Whether to send it; asked where `Step.confirmed`, unless nothing is sent."""

    def pauses(self, step: Step, pause: Pause) -> None:
        """The step failed, changed nothing, and is tried again after the pause."""

    def waits(self, step: Step, blockers: Sequence[Blocker]) -> None:
        """A statement waits for a lock which ``blockers`` have; told again when they are others."""

    def progress(self, step: Step, progress: Progress) -> None:
        """How far the statement under way is; told about once a second."""

    def notice(self, step: Step, text: str) -> None:
        """The server says ``text``, while the step runs."""

    def output(self, step: Step, text: str) -> None:
        """What the step printed, as psql shows it, without the notices."""

    def accepts(self, step: Step, unseen: str) -> bool:
        """Whether to go on though the check could not see all: ``unseen`` says what."""

    def skipped(self, step: Step, reason: str) -> None:
        """The step is not for this server."""

    def done_earlier(self, step: Step) -> None:
        """The earlier run did this step: it is left out."""

    def stopped(self, step: Step) -> None:
        """The answer was no: the run ended before this step."""

    def finished(self, log: Path) -> None:
        """The run reached its end, and ``log`` says so; the database is told next."""
