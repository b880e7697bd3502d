"""Whether a backup of the environment was proven to be restorable: its receipts, read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from pgrehearse import queries
from pgrehearse.backup import receipt_store
from pgrehearse.backup.demand import Demand, best
from pgrehearse.findings import Finding
from pgrehearse.migration.runner.ledger import Ledger
from pgrehearse.promotion.gate_table import required
from pgrehearse.promotion.quantities import told
from pgrehearse.status.fact import concern
from pgrehearse.status.look import Look

__all__ = ["Backup", "BackupLine", "Lacking", "read"]


@dataclass(frozen=True)
class BackupLine:
    """One thing that was looked at when the backup was verified."""

    level: str
    check: str
    proven: bool
    said: str


@dataclass(frozen=True)
class Lacking:
    """One thing that the environment asks for, and the receipt does not show."""

    check: str
    said: str
    next_step: str


@dataclass(frozen=True)
class Backup:
    """The newest receipt that is enough, or else the newest.

    Attributes:
        asked: whether the environments file asks for one.
        wanted: what has to be proven, in words.
        backup: what it is called; None where no backup was verified.
        level: what was proven, in words.
        age: of the backup.
        lines: of the receipt.
        lacks: what is missing; empty when it is enough.
    """

    asked: bool
    wanted: str = ""
    backup: str | None = None
    adapter: str = ""
    level: str = ""
    taken: datetime | None = None
    verified: datetime | None = None
    age: timedelta = timedelta()
    lines: tuple[BackupLine, ...] = ()
    lacks: tuple[Lacking, ...] = ()

    @property
    def said(self) -> str:
        if not self.asked:
            return "not asked for"
        if self.backup is None:
            return "none verified"
        return f"{self.level or 'nothing proven'}, taken {told(self.age)} ago"

    @property
    def findings(self) -> list[Finding]:
        return list(self._findings())

    def _findings(self) -> Iterator[Finding]:
        if self.asked and self.backup is None:
            yield concern(
                f"no backup of it was verified; {self.wanted} is asked for",
                "pgrehearse backup take PLACE, then pgrehearse backup verify PLACE",
            )
        for one in self.lacks:
            yield concern(f"{self.backup}, {one.check}: {one.said}", one.next_step)


@dataclass(frozen=True)
class _Here:
    """The database as it is, for receipts to be held against."""

    system_identifier: str
    timeline: int
    database: str
    ledger: str


def read(look: Look) -> Backup:
    """The receipts of the database; none is asked for in the first environment, which nothing is promoted to.

    Raises SetupError: one was changed by hand; psycopg.Error.
    """
    if "backup" not in required(look.environment, look.position) or look.position == 0:
        return Backup(asked=False)
    ((identifier, timeline, database, now),) = look.rows(queries.text("status_place"))
    here = _Here(identifier, timeline, database, max(Ledger(look.connection).known().applied, default=""))
    demand = Demand.declared(look.environment)
    found = best(receipt_store.receipts(look.connection), demand, here, now)
    if found is None:
        return Backup(asked=True, wanted=demand.level.said)
    receipt, missing = found
    return Backup(
        True,
        demand.level.said,
        receipt.backup,
        receipt.adapter,
        receipt.level.said if receipt.level else "",
        receipt.taken,
        receipt.verified,
        max(now - receipt.taken, timedelta()),
        tuple(BackupLine(one.level.word, one.check, one.ok, one.said) for one in receipt.evidence),
        tuple(Lacking(one.check, one.said, one.next_step) for one in missing),
    )
