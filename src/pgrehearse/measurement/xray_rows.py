"""What was measured of one statement of a file, and what it means to others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pgrehearse.measurement.statement.facts import Facts
from pgrehearse.measurement.xray_steps import FileStatement
from pgrehearse.text.passwords import redacted
from pgrehearse.text.statement import classify

__all__ = ["POLICIES", "Row"]

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
        partitioned: what it locks is a partitioned table, whose indexes have a way of their own.
        rewrites: as in the facts, without what the file itself made.
        stalls: tables read whole while somebody waits for them; none where it works `in_turn`.
        advice: page of the handbook.
    """

    step: FileStatement
    facts: Facts | None = None
    error: str = ""
    left: str = ""
    waits: tuple[tuple[str, tuple[str, ...]], ...] = ()
    own: tuple[str, ...] = ()
    partitioned: bool = False
    rewrites: tuple[str, ...] = ()
    stalls: tuple[str, ...] = ()
    advice: str = ""

    @property
    def in_turn(self) -> bool:
        """Whether it works in several transactions, and takes its strong lock at the end of the work."""
        return classify(self.step.statement).in_turn

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
            "breaks": self.breaks(),
            "advice": self.advice or None,
            "error": self.error or None,
            "not_measured": self.left or None,
        }
