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
        first: whether the first environment, which has none before it, needs it too.
        always: whether no environment may do without it.
    """

    asks: str
    answered: str
    first: bool = True
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
        first=False,
        always=True,
    ),
    "smoke": Gate(
        "the environment before keeps what `db/smoke.sql` promises",
        "`db smoke --read-only`, run there",
        first=False,
    ),
    "soak": Gate(
        "the migrations have been in the environment before for as long as `soak` says",
        "the clock of the server there and its ledger",
        first=False,
    ),
    "drift-before": Gate(
        "the environment before has no drift",
        "`db check`, run there",
        first=False,
    ),
    "drift": Gate("the target has no drift", "`db check`, run on the target"),
    "rehearsal": Gate(
        "the plan was applied to a fresh database of the target's major, after all that is applied",
        "a disposable server, for this gate",
    ),
    "policy": Gate("the policy finds nothing in the migrations of the plan", "`db lint`, on them"),
    "backup": Gate(
        "a backup of the target was proven to be restorable",
        "not configured: no receipt can be shown yet",
    ),
    "approvals": Gate(
        "enough persons who are not the requester approved this plan, and each still is an approver",
        "PostgreSQL, again in the transaction that starts",
        always=True,
    ),
}


def required(environment: Environment, *, first: bool) -> list[str]:
    """The gates of ``environment`` in order; ``first``: there is no environment before it."""
    return [
        name for name, gate in GATES.items() if (gate.first or not first) and name not in environment.without
    ]


def prefix(environment: Environment) -> str:
    """What the names of its roles begin with."""
    return f"pgrehearse_{environment.name}"
