"""What migrations cost in a database, from its ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from pgrehearse.connections import connect
from pgrehearse.errors import SetupError, first_line
from pgrehearse.migration.runner.ledger import Ledger
from pgrehearse.migration.runner.ledger_rows import AttemptRow, Cost

__all__ = ["Timing", "read", "timings"]


@dataclass(frozen=True)
class Timing:
    """An applied migration and what its statements cost when it was applied.

    Attributes:
        attempts: how often it was tried until it was done; 0 where another tool applied it.
        costs: empty where another tool applied it.
    """

    version: str
    name: str
    at: datetime | None
    who: str
    attempts: int
    costs: tuple[Cost, ...]

    @property
    def label(self) -> str:
        return f"{self.version}_{self.name}"

    @property
    def milliseconds(self) -> float:
        return sum(cost.milliseconds or 0.0 for cost in self.costs)

    @property
    def lock_wait_ms(self) -> float:
        return sum(cost.lock_wait_ms or 0.0 for cost in self.costs)

    @property
    def wal_bytes(self) -> int:
        return sum(cost.wal_bytes or 0 for cost in self.costs)

    @property
    def rewritten(self) -> tuple[str, ...]:
        return tuple(sorted({table for cost in self.costs for table in cost.rewritten}))


def timings(attempts: Sequence[AttemptRow]) -> list[Timing]:
    """The migrations that ``attempts`` of one database leave applied, in order of version."""
    found: dict[str, Timing] = {}
    tries: dict[str, int] = {}
    for attempt in attempts:
        version = attempt.version
        if attempt.direction == "up":
            tries[version] = tries.get(version, 0) + 1
        if attempt.outcome not in ("done", "adopted"):
            continue
        if attempt.direction == "down":
            found.pop(version, None)
        else:
            count = 0 if attempt.outcome == "adopted" else tries[version]
            at = attempt.finished
            found[version] = Timing(version, attempt.name, at, attempt.who, count, attempt.statements)
        tries[version] = 0
    return [found[version] for version in sorted(found)]


def read(conninfo: str) -> list[Timing]:
    """`timings` of a database, which is only read. Raises SetupError."""
    try:
        with connect(conninfo) as connection:
            connection.read_only = True
            return timings(Ledger(connection).attempts())
    except psycopg.Error as error:
        reason = first_line(error)
        raise SetupError(
            f"the ledger cannot be read: {reason}", next_step="check the DSN and its role"
        ) from None
