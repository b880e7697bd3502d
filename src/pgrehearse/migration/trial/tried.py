"""What was tried, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pgrehearse.errors import PgRehearseError
from pgrehearse.findings import Finding
from pgrehearse.schema import Differences
from pgrehearse.troubles import elsewhere

__all__ = ["FAILED", "NOT_RUN", "OK", "Tried", "different", "failed", "from_error"]

OK, FAILED, NOT_RUN = "ok", "failed", "not run"
#: Statements of a difference that are shown, and characters of each.
_SHOWN, _WIDTH = 5, 160


@dataclass(frozen=True)
class Tried:
    """One check of a run.

    Attributes:
        name: what was tried: a migration's file name, or a word such as ``seed``.
        status: ok, failed or not run. What was not run is never ok.
        detail: what was done, or why it was not.
        findings: what is wrong with a failed one; ``next_step`` is that of all of them.
        wanted: whether somebody asked for it: then not run is not good enough.
    """

    name: str
    status: str
    detail: str = ""
    findings: tuple[Finding, ...] = ()
    next_step: str = ""
    wanted: bool = True

    @property
    def good(self) -> bool:
        return self.status == OK or (self.status == NOT_RUN and not self.wanted)


def failed(
    name: str, problems: Sequence[str], next_step: str, path: Path | None = None, line: int = 0
) -> Tried:
    """A step that found ``problems``, each in a sentence, at ``path``:``line``."""
    findings = [Finding(said, path, line, kind="trial", next_step=next_step) for said in problems]
    return Tried(name, FAILED, findings=tuple(findings), next_step=next_step)


def different(found: Differences, left: str, right: str) -> list[str]:
    """Sentences about what only one side has; ``left`` and ``right`` say what that means."""
    lines = []
    for meaning, only in ((left, found.only_left), (right, found.only_right)):
        made = {one.object for one in only if one.sql.startswith("CREATE")}
        told = [one for one in only if one.object not in made or " OWNER TO " not in one.sql]
        told.sort(key=lambda one: not one.sql.startswith("CREATE"))
        for one in told[:_SHOWN]:
            sql = " ".join(one.sql.split())
            lines.append(f"{meaning}: {sql[:_WIDTH]}{'...' if len(sql) > _WIDTH else ''}")
        if len(told) > _SHOWN:
            lines.append(f"{meaning}: {len(told) - _SHOWN} more")
    return lines


def from_error(name: str, error: PgRehearseError) -> Tried:
    """A step that ended with an error."""
    return Tried(
        name, FAILED, findings=error.findings, next_step=elsewhere(str(error), error.next_step or "")
    )
