"""Code that did not run here: what it locks, nobody saw, so what carries it out is not judged."""

from __future__ import annotations

from collections.abc import Iterator

from pgrehearse.findings import Finding
from pgrehearse.measurement.xray_rows import Row
from pgrehearse.migration.policy.judged_file import File, Written
from pgrehearse.migration.policy.register import unjudged

__all__ = ["unseen_code"]


def unseen_code(file: File, written: Written, row: Row) -> Iterator[Finding]:
    """A finding where ``written`` carries out code that holds what locks tables, and did not do it here."""
    if not row.unseen or file.allowed("judged", written):
        return
    some = "; ".join(row.unseen[:3]) + (f"; and {len(row.unseen) - 3} more" if len(row.unseen) > 3 else "")
    yield unjudged(
        file.migration.path,
        written.line,
        f"{some}, so what it does is not known",
        written.sql,
        "take it out of its branch; or look at it yourself: -- allow: judged REASON",
    )
