"""The time of day, in UTC: records and evidence of all machines can be compared."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["now", "today"]


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def today() -> str:
    """The date, such as 2026-05-04."""
    return now().date().isoformat()
