"""What the ledger keeps: attempts, their statements and costs, and what is applied by them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

__all__ = ["Applied", "AttemptRow", "Cost", "KnownLedger", "RecordedStatements", "Summary"]


@dataclass(frozen=True)
class Applied:
    """An applied version. ``sha256`` and ``at`` are None where another tool applied it."""

    version: str
    sha256: str | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class KnownLedger:
    """What a ledger says.

    Attributes:
        applied: versions in order; empty where nothing was ever applied.
        withdrawn: versions that are applied according to our record, and not according to dbmate's.
    """

    applied: Mapping[str, Applied] = field(default_factory=dict)
    withdrawn: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Cost:
    """One statement as it ran. Times in milliseconds; ``rows`` is None for what has none.

    ``sql`` is without passwords. ``lock_wait_ms`` is the waiting of all ``tries``, the rest that of the last.
    """

    number: int
    line: int
    sql: str
    outcome: str
    milliseconds: float | None = None
    lock_wait_ms: float | None = None
    wal_bytes: int | None = None
    rows: int | None = None
    rewritten: tuple[str, ...] = ()
    tries: int = 1


@dataclass(frozen=True)
class AttemptRow:
    """One try. ``outcome``: running, done, failed, interrupted or adopted."""

    id: int
    version: str
    name: str
    direction: str
    sha256: str
    who: str
    started: datetime
    finished: datetime | None
    outcome: str
    error: str | None
    statements: tuple[Cost, ...] = field(default=())


@dataclass(frozen=True)
class Summary:
    """One try, without its statements.

    Attributes:
        outcome: running, done, failed or interrupted.
        tries: how often this was tried, to this one, since it was last done.
        milliseconds, wal_bytes: of all its statements.
        lock_wait_ms: the longest that one of them waited for locks.
        rewritten: tables that got a new file.
    """

    version: str
    name: str
    direction: str
    who: str
    started: datetime
    finished: datetime | None
    outcome: str
    error: str | None
    tries: int
    milliseconds: float
    wal_bytes: int
    lock_wait_ms: float
    rewritten: list[str]


@dataclass(frozen=True)
class RecordedStatements:
    """What is recorded of an attempt's statements: ``costs``, and before them those of ``lines``.

    ``lines``, given the attempt, makes text for COPY, in the order of `_COPY`.
    """

    costs: Sequence[Cost] = ()
    lines: Callable[[int], Iterable[str]] | None = None
