"""What an environment asks of a receipt, and what is missing: a line each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.backup.receipt import Receipt
from pgrehearse.environments.declared import Environment
from pgrehearse.environments.names import ENVIRONMENTS

__all__ = ["Demand", "Missing", "Subject", "best", "missing"]


class Subject(Protocol):
    """The database that a receipt is held against, as `original.Original` has it."""

    @property
    def system_identifier(self) -> str: ...
    @property
    def timeline(self) -> int: ...
    @property
    def database(self) -> str: ...
    @property
    def ledger(self) -> str: ...


@dataclass(frozen=True)
class Demand:
    """``level``: the least that has to be proven; ``age``: how old the backup may be."""

    level: EvidenceLevel
    age: timedelta

    @property
    def age_said(self) -> str:
        """In words."""
        return _told(self.age)

    def met(self, receipt: Receipt) -> bool:
        """Whether enough is proven, and nothing is wrong; its age aside."""
        return receipt.level is not None and receipt.level >= self.level and not receipt.damaged

    @classmethod
    def declared(cls, environment: Environment) -> Demand:
        """What ``environment`` asks."""
        return cls.of(environment.mark, environment.backup_level, environment.backup_age)

    @classmethod
    def of(cls, mark: str, level: str = "", age: timedelta | None = None) -> Demand:
        """What an environment of that mark asks, with what its file says in place of it."""
        production = mark == ENVIRONMENTS[-1]
        return cls(
            EvidenceLevel.of(level)
            if level
            else EvidenceLevel.CANARY
            if production
            else EvidenceLevel.RESTORED,
            age if age is not None else timedelta(days=1 if production else 7),
        )


@dataclass(frozen=True)
class Missing:
    """One thing that is missing. ``check``: its name."""

    check: str
    said: str
    next_step: str


def missing(receipt: Receipt, demand: Demand, original: Subject, now: datetime) -> list[Missing]:
    """What ``receipt`` lacks to be enough for the database as it is ``now``; empty: nothing."""
    found = []
    anew = "pgrehearse backup take, then pgrehearse backup verify"
    if receipt.system_identifier and receipt.system_identifier != original.system_identifier:
        found.append(Missing("identity", f"the receipt is of the server {receipt.system_identifier}", anew))
    if receipt.database != original.database:
        found.append(Missing("identity", f"the receipt is of the database {receipt.database}", anew))
    if receipt.timeline is not None and receipt.timeline != original.timeline:
        said = f"the backup is of timeline {receipt.timeline}, the server is on {original.timeline}"
        found.append(Missing("identity", said, anew))
    old = now - receipt.taken
    if old > demand.age or now > receipt.expires:
        found.append(Missing("age", f"taken {_told(old)} ago, and {_told(demand.age)} is the limit", anew))
    if old < -timedelta(minutes=5):
        found.append(Missing("age", "taken in the future", "set the clocks right, then " + anew))
    reached = receipt.level
    if reached is None or reached < demand.level:
        is_ = reached.said if reached else "not even listed"
        found.append(
            Missing("level", f"{is_}, and {demand.level.said} is asked for", "pgrehearse backup verify")
        )
    short = [one for one in receipt.missing if one.damage or one.level <= demand.level]
    found += [Missing(one.check, one.said, one.next_step) for one in short]
    if (
        receipt.level is not None
        and receipt.level >= EvidenceLevel.QUERIED
        and receipt.ledger != original.ledger
    ):
        at, now_at = receipt.ledger or "none", original.ledger or "none"
        said = f"the copy is at migration {at}, {original.database} at {now_at}"
        found.append(Missing("ledger", said, anew))
    return found


def best(
    receipts: Sequence[Receipt], demand: Demand, original: Subject, now: datetime
) -> tuple[Receipt, list[Missing]] | None:
    """The newest receipt that lacks nothing; else the newest, with what it lacks; None: there is none."""
    for one in receipts:
        if not missing(one, demand, original, now):
            return one, []
    return (receipts[0], missing(receipts[0], demand, original, now)) if receipts else None


def _told(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size or (seconds >= size and seconds % size == 0):
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
