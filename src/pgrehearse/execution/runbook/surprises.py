"""What is said of a step that did something else than the runbook says, and what comes next."""

from __future__ import annotations

from collections.abc import Sequence

from pgrehearse.errors import ExpectationError
from pgrehearse.execution.backoff import LOCK_NOT_AVAILABLE
from pgrehearse.execution.cell_checks import LOST
from pgrehearse.execution.results import CellResult
from pgrehearse.execution.runbook.remains import NEXT_STEP, REMAINS
from pgrehearse.execution.runbook.steps import Step
from pgrehearse.execution.runbook.watch import Blocker
from pgrehearse.findings import Finding, indented
from pgrehearse.text.answers import stopped
from pgrehearse.text.document import LOOKING, Document

__all__ = ["STOPS", "surprise"]

#: What comes next after a check of ours: the SQLSTATE is session_checked.sql's, or no_remains.sql's.
STOPS = {
    "PGR01": "run it with --from-top: every step is carried out again, in one session",
    REMAINS: NEXT_STEP,
}

#: The check did not come to an answer: canceled, ended, deadlocked, without its lock, or it wrote something.
_NO_ANSWER = ("57014", "57P01", "40P01", LOCK_NOT_AVAILABLE, "25006")


def surprise(
    document: Document,
    step: Step,
    result: CellResult,
    failure: Finding,
    *,
    blockers: Sequence[Blocker] = (),
    hints: Sequence[str] = (),
) -> ExpectationError:
    """The error of ``step``; a check that refuses says its reason first.

    ``blockers``: who held the lock. ``hints``: what the names that were given may mean.
    """
    near = "".join(f"\n  {hint}" for hint in hints)
    if refusal := stopped(result.output) or _raised(step, failure):
        place = f"{step.label}, {document.path}:{step.cell.line}"
        return ExpectationError(
            f"refused: {refusal}\n  {place}{near}", next_step=_after(step, result, blockers)
        )
    detail = f"\n{indented(failure.detail)}" if failure.detail else ""
    return ExpectationError(
        f"{step.label}: {failure.message}{detail}{near}",
        path=document.path,
        line=failure.line,
        next_step=_after(step, result, blockers),
    )


def _raised(step: Step, failure: Finding) -> str:
    """What PostgreSQL itself has against a value that a check of Preflight tried; empty for anything else."""
    if step.cell.phase != "Preflight" or not failure.sqlstate or failure.sqlstate in _NO_ANSWER:
        return ""
    first, *rest = failure.detail.split("\n")
    if not first.startswith("ERROR:"):
        return ""
    return "\n  ".join((f"{first.removeprefix('ERROR:').strip()} ({failure.sqlstate})", *rest))


def _after(step: Step, result: CellResult, blockers: Sequence[Blocker]) -> str:
    """What the operator does after a step that did not do what it should."""
    if result.failure and result.failure.sqlstate in STOPS:
        return STOPS[result.failure.sqlstate]
    if result.failure and result.failure.sqlstate == "25006" and r"\gexec" in step.cell.source:
        return result.failure.next_step
    if result.failure and result.failure.message == LOST and step.cell.phase in LOOKING:
        return f"{result.failure.next_step}; then run again, a check changes nothing"
    if step.cell.phase == "Preflight":
        return "nothing was changed; resolve what the check names, then run again"
    if step.concurrent(result.generated):
        return "an INVALID index may be left; run again from the top with --from-top, it looks for remains"
    if result.failure and result.failure.sqlstate == LOCK_NOT_AVAILABLE:
        who = "; ".join(one.said for one in blockers)
        found = f"it waited for {who}" if who else "find who holds the lock"
        return f"{found}; run again when that has ended: done steps are not repeated"
    if step.cell.phase == "Verify":
        return "look at the database; --from-top carries every step out again, what is there already stays"
    return "look at the database, then run again: done steps are not repeated; or --phase roll-back"
