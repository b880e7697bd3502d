"""What is wrong with the form of a document, as a finding; the place is completed by who knows it."""

from __future__ import annotations

from pgrehearse.findings import Finding, Severity

__all__ = ["flaw"]


def flaw(line: int, rule: str, message: str, fix: str, *, style: bool = False) -> Finding:
    """A broken rule of the linter, still without its path.

    Args:
        line: in the document; 0 where the caller fills it in.
        rule: its name in the documentation.
        style: it only matters for the site and the notebook, and stops no run.
    """
    severity = Severity.HYGIENE if style else Severity.POLICY
    return Finding(message, None, line, kind="lint", check=rule, next_step=fix, severity=severity)
