"""The checks of the policy: their names, the rule of the page each one enforces, and what they find."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pgrehearse.findings import Finding, Severity
from pgrehearse.measurement.advice import POLICY
from pgrehearse.text.passwords import redacted

__all__ = ["CHECKS", "Check", "broken", "unjudged"]


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
        severity: what a finding is worth, unless the check says otherwise of one.
    """

    name: str
    rule: int
    refuses: str
    kind: str
    allowable: bool = True
    severity: Severity = Severity.HAZARD


_POLICY, _HYGIENE = Severity.POLICY, Severity.HYGIENE
_ALL = (
    Check("applied", 1, "an applied file that is edited, deleted, renamed or overtaken", "text", False),
    Check("runnable", 2, "what a runner cannot send, or PostgreSQL refuses", "text", False),
    Check("judged", 2, "a statement whose effect could not be seen here", "measured"),
    Check("breaking", 3, "a breaking change without its declaration", "catalog", False),
    Check("one-table", 4, "a second locked table in one transaction", "measured"),
    Check("detach", 4, "a partition detached while readers and writers of all others wait", "measured"),
    Check("one-statement", 4, "several statements in a file without transaction", "text", severity=_POLICY),
    Check("lock-timeout", 5, "a lock that others wait for, without a safe lock_timeout", "measured"),
    Check("rewrite", 6, "a table or index that is rewritten while others wait", "measured"),
    Check("backfill", 7, "a table that is changed whole in one transaction", "measured"),
    Check("scan", 8, "a table that is read whole while others wait", "measured"),
    Check("index-build", 9, "an index that is built while writers wait", "measured"),
    Check("build-timeout", 9, "a timeout that ends a concurrent build", "text", severity=_POLICY),
    Check("build-retry", 9, "IF NOT EXISTS on a concurrent build", "text"),
    Check("comment", 10, "an index or constraint without both comments", "catalog", severity=_HYGIENE),
    Check("enum-value", 11, "an enum value used in the transaction that adds it", "measured", False),
    Check("down", 12, "a file without a down part", "text", False, _HYGIENE),
)
#: The checks by name, in the order of the rules.
CHECKS = {check.name: check for check in _ALL}


def broken(
    check: str,
    path: Path,
    line: int,
    message: str,
    next_step: str,
    statement: str = "",
    measured: str = "",
    page: str = POLICY,
    severity: Severity | None = None,
) -> Finding:
    """What one check found.

    Args:
        check: its name.
        line: 1-based, 0 for a file that is gone.
        measured: the facts behind it.
        page: page of the handbook with the safe way.
        severity: where it is not that of the check.
    """
    rule = f"rule {CHECKS[check].rule}"
    return Finding(
        message,
        path,
        line,
        kind="policy",
        check=check,
        about=f"{rule} ({check})",
        statement=redacted(statement),
        detail=measured,
        next_step=next_step,
        page=page,
        section=rule if page == POLICY else "",
        severity=severity or CHECKS[check].severity,
    )


def unjudged(path: Path, line: int, message: str, statement: str = "", next_step: str = "") -> Finding:
    """Something whose effect nobody saw: no report is green because of that."""
    return broken(
        "judged",
        path,
        line,
        message,
        next_step or "mend what is before it; or say why it is safe: -- allow: judged REASON",
        statement,
    )
