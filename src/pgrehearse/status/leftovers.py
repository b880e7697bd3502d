"""What interrupted changes left: indexes nobody uses, rules nobody checks, helpers of runbooks, open runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pgrehearse import queries
from pgrehearse.execution.runbook.locks import LOCK_CLASS
from pgrehearse.execution.runbook.run_ledger import trusted
from pgrehearse.findings import Finding
from pgrehearse.migration.smoke import objects
from pgrehearse.promotion.quantities import counted
from pgrehearse.status.fact import concern
from pgrehearse.status.look import Look

__all__ = ["HalfDone", "Leftovers", "UnfinishedRun", "read"]

_BUILDING = "SELECT p.index_relid FROM pg_catalog.pg_stat_progress_create_index AS p"
_GOES_ON = "run it again with the same values: it goes on where it stopped"
_SAID = {
    "not verified": (
        "was applied and not verified",
        "run it again with the same values and without --phase: Verify looks then",
    ),
    "stopped": ("stopped before its end", _GOES_ON),
    "lost": ("says that it is running, and nobody is", _GOES_ON),
}


@dataclass(frozen=True)
class HalfDone:
    """Something half done. ``what``: its kind and name; ``problem``: what is wrong with it."""

    what: str
    problem: str
    next_step: str


@dataclass(frozen=True)
class UnfinishedRun:
    """A run of a runbook that was not brought to its end.

    Attributes:
        problem: stopped, lost (running, and nobody is), or not verified.
        phases: that it was asked for.
    """

    runbook: str
    problem: str
    who: str
    started: datetime
    phases: tuple[str, ...]


@dataclass(frozen=True)
class Leftovers:
    """Of the application's own objects, and of runs of runbooks."""

    objects: tuple[HalfDone, ...]
    runs: tuple[UnfinishedRun, ...]

    @property
    def said(self) -> str:
        parts = [
            counted(len(self.objects), "object") if self.objects else "",
            counted(len(self.runs), "run") if self.runs else "",
        ]
        return ", ".join(filter(None, parts)) or "none"

    @property
    def findings(self) -> list[Finding]:
        return list(self._findings())

    def _findings(self) -> Iterator[Finding]:
        for one in self.objects:
            yield concern(f"{one.what} {one.problem}", one.next_step)
        for run in self.runs:
            said, following = _SAID[run.problem]
            when = f"{run.started:%Y-%m-%d %H:%M}"
            yield concern(f"the run of {run.runbook} by {run.who} on {when} {said}", following)


def read(look: Look) -> Leftovers:
    """What is half done. An index that somebody is building is not. Raises SetupError as `trusted` does."""
    ((trouble, helpers, runs),) = look.rows(queries.text("status_left"))
    found = []
    if trouble:
        building = {oid for (oid,) in look.rows(_BUILDING.encode())}
        found += [
            HalfDone(str(one), one.problem, one.mend or "see the runbook that made it")
            for one in objects.troubled(look.connection)
            if one.oid not in building
        ]
    if helpers:
        found += [
            HalfDone(what, problem, f"finish the runbook {runbook}, or roll it back")
            for what, problem, runbook in look.rows(queries.text("status_helpers"))
        ]
    if runs:
        trusted(look.connection)
    rows = look.rows(queries.text("status_runs", runs=LOCK_CLASS)) if runs else []
    return Leftovers(
        tuple(found),
        tuple(
            UnfinishedRun(book, problem, who, at, tuple(phases)) for book, problem, who, at, phases in rows
        ),
    )
