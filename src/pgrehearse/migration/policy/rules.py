"""The checks of the policy: their names, the rule of the page each one enforces, and what a problem says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgrehearse.measurement.advice import POLICY

__all__ = ["CHECKS", "Check", "Problem"]


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: as in ``-- allow: NAME reason``, in the settings, and in reports.
        rule: number of the rule on the policy page.
        refuses: what it refuses, in a few words.
        kind: ``text`` needs the files only; ``catalog`` runs them on a disposable database; ``measured``
            measures each statement there, too.
        allowable: whether a file may declare a reason for an exception.
    """

    name: str
    rule: int
    refuses: str
    kind: str
    allowable: bool = True


_ALL = (
    Check("applied", 1, "an applied file that is edited, deleted, renamed or overtaken", "text", False),
    Check("runnable", 2, "what a runner cannot send, or PostgreSQL refuses", "text", False),
    Check("breaking", 3, "a breaking change without its declaration", "catalog", False),
    Check("one-table", 4, "a second locked table in one transaction", "measured"),
    Check("one-statement", 4, "several statements in a file without transaction", "text"),
    Check("lock-timeout", 5, "a lock that others wait for, without a safe lock_timeout", "measured"),
    Check("rewrite", 6, "a table or index that is rewritten while others wait", "measured"),
    Check("backfill", 7, "a table that is changed whole in one transaction", "measured"),
    Check("scan", 8, "a table that is read whole while others wait", "measured"),
    Check("index-build", 9, "an index that is built while writers wait", "measured"),
    Check("build-timeout", 9, "a timeout that ends a concurrent build", "text"),
    Check("build-retry", 9, "IF NOT EXISTS on a concurrent build", "text"),
    Check("comment", 10, "an index or constraint without both comments", "catalog"),
    Check("enum-value", 11, "an enum value used in the transaction that adds it", "measured", False),
    Check("down", 12, "a file without a down part", "text", False),
)
#: The checks by name, in the order of the rules.
CHECKS = {check.name: check for check in _ALL}


@dataclass(frozen=True)
class Problem:
    """What one check found.

    Attributes:
        check: name of the check.
        path: the file; ``line`` is 1-based, 0 for a file that is gone.
        said: what is wrong, in a sentence without a period.
        next_step: what to do.
        statement: the offending statement, or the empty string.
        measured: the facts behind it, or the empty string.
        page: page of the handbook with the safe way.
    """

    check: str
    path: Path
    line: int
    said: str
    next_step: str
    statement: str = ""
    measured: str = ""
    page: str = POLICY

    @property
    def rule(self) -> int:
        return CHECKS[self.check].rule

    def text(self, place: str) -> str:
        """Lines for people; ``place`` is the path as they know it."""
        where = f"{place}:{self.line}" if self.line else place
        lines = [f"{where}: rule {self.rule} ({self.check}): {self.said}"]
        if self.statement:
            lines.append(f"  statement: {_short(self.statement)}")
        if self.measured:
            lines.append(f"  measured: {self.measured}")
        lines.append(f"  next: {self.next_step}")
        lines.append(f"  see: {self.page}" + (f", rule {self.rule}" if self.page == POLICY else ""))
        return "\n".join(lines)

    def to_json(self, place: str) -> dict[str, Any]:
        """JSON types only."""
        return {
            "path": place,
            "line": self.line or None,
            "rule": self.rule,
            "check": self.check,
            "message": self.said,
            "statement": self.statement or None,
            "measured": self.measured or None,
            "next": self.next_step,
            "page": self.page,
        }


def _short(statement: str) -> str:
    flat = " ".join(statement.split())
    return flat if len(flat) <= 120 else flat[:116] + " ..."
