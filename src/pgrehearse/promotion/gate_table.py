"""The gates of a promotion: which there are, what each asks, and who answers. One table.

The reference page is generated from it, and so is what PostgreSQL asks for when a promotion starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pgrehearse.environments.declared import Environment

__all__ = ["GATES", "Gate", "prefix", "required"]


@dataclass(frozen=True)
class Gate:
    """One row.

    Attributes:
        asks: what must be so.
        answered: who looks, and where.
        since: the first environment that can be asked, counted from 0: nothing comes before the first, and
            nothing is promoted to the one before the second.
        always: whether no environment may do without it.
    """

    asks: str
    answered: str
    since: int = 0
    always: bool = False


#: In the order they are asked and shown.
GATES: Mapping[str, Gate] = {
    "ledger": Gate(
        "the plan is what is pending in the target, and nothing that is applied was edited, lost or late",
        "the ledger of every target",
        always=True,
    ),
    "applied": Gate(
        "every migration of the plan is applied in the environment before, with the same hash",
        "the ledger there",
        since=1,
        always=True,
    ),
    "promoted": Gate(
        "it was a promotion that brought them there, not `db up` or a row in the ledger",
        "PostgreSQL there, which records each step",
        since=2,
    ),
    "smoke": Gate(
        "the environment before keeps what `db/smoke.sql` promises",
        "`db smoke --read-only`, run there",
        since=1,
    ),
    "soak": Gate(
        "the migrations have been in the environment before for as long as `soak` says",
        "the clock of the server there and its ledger",
        since=1,
    ),
    "drift-before": Gate(
        "the environment before has no drift",
        "`db check`, run there",
        since=1,
    ),
    "drift": Gate("the target has no drift", "`db check`, run on the target"),
    "rehearsal": Gate(
        "the plan was applied to a fresh database of the target's major, after all that is applied",
        "a disposable server, for this gate",
    ),
    "policy": Gate("the policy finds nothing in the migrations of the plan", "`db lint`, on them"),
    "backup": Gate(
        "a backup of the target, not older than its last migration, was proven to be restorable",
        "the receipt that `backup verify` left in the target",
    ),
    "approvals": Gate(
        "enough persons who are not the requester approved this plan, and each still is an approver",
        "PostgreSQL, again in the transaction that starts",
        always=True,
    ),
}


def required(environment: Environment, position: int) -> list[str]:
    """The gates of ``environment``, which is the ``position``-th of the file, counted from 0, in order."""
    return [
        name for name, gate in GATES.items() if gate.since <= position and name not in environment.without
    ]


def prefix(environment: Environment) -> str:
    """What the names of its roles begin with."""
    return f"pgrehearse_{environment.roles or environment.name}"
