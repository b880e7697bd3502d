"""What was measured of one statement of a file, and what it means to others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pgrehearse.measurement.advice import UNTRANSACTED, partition_way
from pgrehearse.measurement.statement.facts import PROBES, Facts, Through, all_through
from pgrehearse.measurement.xray_steps import FileStatement
from pgrehearse.text.passwords import redacted
from pgrehearse.text.statement import classify

__all__ = ["POLICIES", "Row", "StillHeld"]

#: What ``--fail-on`` may name.
POLICIES = ("rewrite", "scan", "blocks-reads", "blocks-writes")


@dataclass(frozen=True)
class Row:
    """One measured statement.

    Attributes:
        facts: what was measured; None when it was not, and ``error`` says why.
        error: the error it raised, or that its transaction raised at it.
        left: why it was neither run nor measured, where that is no error.
        waits: table -> probes that wait while it runs, by what it locks or what earlier statements of its
            transaction locked. Tables that the file itself made are left out: nobody uses them yet.
        own: tables of ``waits`` that it makes wait itself.
        once_unused: tables as in the facts, without those that the file itself made.
        through: table of ``waits`` -> its partitions where requests on it wait, see the facts.
        partitioned: what it locks is a partitioned table, whose indexes have a way of their own.
        default: the default partition that it locks, if it does.
        rewrites: as in the facts, without what the file itself made.
        stalls: tables read whole while somebody waits for them; none where it works `in_turn`.
        advice: page of the handbook.
        unseen: what code that it carries out holds and did not do here, see `untaken`.
        lock_timeout: the weakest that code set for it or in it, in seconds, 0 for none; None: none did.
    """

    step: FileStatement
    facts: Facts | None = None
    error: str = ""
    left: str = ""
    waits: tuple[tuple[str, tuple[str, ...]], ...] = ()
    own: tuple[str, ...] = ()
    once_unused: tuple[str, ...] = ()
    through: Mapping[str, Through] = field(default_factory=dict)
    partitioned: bool = False
    default: str = ""
    rewrites: tuple[str, ...] = ()
    stalls: tuple[str, ...] = ()
    advice: str = ""
    unseen: tuple[str, ...] = ()
    lock_timeout: float | None = None

    @property
    def in_turn(self) -> bool:
        """Whether it works in several transactions, and takes its strong lock at the end of the work."""
        return classify(self.step.statement).in_turn

    @property
    def way(self) -> str:
        """What to write in its place, where it changes partitions and others wait for that."""
        return self.instead()

    def instead(self, untransacted: str = UNTRANSACTED) -> str:
        """The same; ``untransacted``: how a file comes to be sent without a transaction."""
        if not self.own:
            return ""
        return partition_way(
            self.step.statement, default=self.default, scans=bool(self.stalls), untransacted=untransacted
        )

    def breaks(self) -> list[str]:
        """The policies of `POLICIES` this statement breaks."""
        probes = {probe for _, waiting in self.waits for probe in waiting}
        found = {
            "rewrite": bool(self.rewrites),
            "scan": bool(self.stalls),
            "blocks-reads": "SELECT" in probes,
            "blocks-writes": bool(probes & {"INSERT", "UPDATE", "DELETE"}),
        }
        return [policy for policy in POLICIES if found[policy]]

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "line": self.step.line,
            "statement": redacted(self.step.statement),
            "transaction": self.step.block or None,
            "facts": self.facts.to_json() if self.facts else None,
            "waits": {table: list(probes) for table, probes in self.waits},
            "once_unused": list(self.once_unused),
            "through": {table: one.to_json() for table, one in self.through.items()},
            "breaks": self.breaks(),
            "advice": self.advice or None,
            "way": self.way or None,
            "error": self.error or None,
            "not_measured": self.left or None,
            "not_seen": list(self.unseen),
        }


Waits = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass
class StillHeld:
    """Who waits for the earlier statements of a transaction: `Row.waits` and `Row.through` of the last."""

    waits: Waits = ()
    through: Mapping[str, Through] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        self.waits, self.through = row.waits, row.through

    def and_also(
        self, own: Mapping[str, Sequence[str]], through: Mapping[str, Through]
    ) -> tuple[Waits, dict[str, Through]]:
        """The same with those who wait for a statement: ``own`` and ``through`` as in its facts."""
        waits = {table: set(probes) for table, probes in self.waits}
        for table, probes in own.items():
            waits.setdefault(table, set()).update(probes)
        listed = tuple((table, tuple(p for p in PROBES if p in waits[table])) for table in sorted(waits))
        return listed, all_through([(dict(self.waits), self.through), (own, through)])
