"""What is promoted to an environment: what is open, how far it is, and whom it waits for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pgrehearse.findings import Finding
from pgrehearse.promotion.gate_table import prefix
from pgrehearse.promotion.quantities import counted, told
from pgrehearse.promotion.store import OPEN, Approval, Promotion, Store
from pgrehearse.promotion.visits import Visits
from pgrehearse.status.fact import concern
from pgrehearse.status.look import Look

__all__ = ["Promoted", "read"]


@dataclass(frozen=True)
class Promoted:
    """The promotion that is open, or else the last one.

    Attributes:
        asked: whether this environment is promoted to at all; nothing is to the first.
        installed: whether the rules are there.
        state: of it; None where there was none.
        age: since it came into that state.
        waits_for: who has to act now, in words; empty for nobody.
        steps_done, steps: migrations times databases.
        databases: state of a database in a roll-out -> how many are so; empty without one.
    """

    environment: str
    asked: bool
    installed: bool
    number: int | None = None
    state: str | None = None
    requested_by: str = ""
    requested_at: datetime | None = None
    why: str = ""
    age: timedelta = timedelta()
    approvals: int = 0
    approvals_wanted: int = 0
    at_work: bool = False
    waits_for: str = ""
    stopped_for: str = ""
    steps_done: int = 0
    steps: int = 0
    databases: tuple[tuple[str, int], ...] = ()

    @property
    def said(self) -> str:
        if not self.installed:
            return "not installed" if self.asked else "comes first"
        if self.state is None:
            return "none yet"
        head = f"{self.number} {self.state}"
        if self.state == "requested":
            return f"{head}, {self.approvals} of {self.approvals_wanted} approvals"
        if self.state in ("applying", "stopped"):
            return f"{head}, {self.steps_done} of {self.steps} steps"
        return f"{head}, {told(self.age)}"

    @property
    def findings(self) -> list[Finding]:
        return list(self._findings())

    def _findings(self) -> Iterator[Finding]:
        name = self.environment
        if self.asked and not self.installed:
            yield concern(
                "promotion is not installed in this database",
                f"as a role with CREATEROLE: pgrehearse promote install {name}",
            )
        elif self.waits_for:
            how = f": {self.stopped_for}" if self.stopped_for else ""
            state = f"stopped{how}" if self.state == "stopped" else str(self.state)
            if self.state == "applying":
                state = "begun, and nobody is at work"
            yield concern(
                f"promotion {self.number} is {state}, for {told(self.age)}: it waits for {self.waits_for}",
                f"pgrehearse promote {'approve' if self.state == 'requested' else 'apply'} {name}",
            )
        failed = dict(self.databases).get("failed", 0)
        if failed and self.state in OPEN:
            yield concern(
                f"promotion {self.number} failed in {counted(failed, 'database')}",
                f"pgrehearse promote status {name} names them",
            )


def read(look: Look) -> Promoted:
    """The promotion of the environment. Raises SetupError: PostgreSQL refuses; psycopg.Error."""
    environment = look.environment
    store = Store(look.connection)
    if not store.installed():
        return Promoted(environment.name, look.position > 0, installed=False)
    rules = store.rules()
    found = store.promotions(1)
    if not found:
        return Promoted(environment.name, look.position > 0, installed=True)
    one = found[0]
    visits = Visits(look.connection)
    done, steps = visits.steps_done(one.id)
    approvals = store.approvals(one.id)
    counting = [approval.approved_by for approval in approvals if not approval.problem]
    return Promoted(
        environment.name,
        True,
        True,
        one.id,
        one.state,
        one.requested_by,
        one.requested_at,
        one.why,
        one.now - one.changed_at,
        len(counting),
        rules.approvals,
        one.at_work,
        _waits_for(look, one, rules.approvals, approvals),
        one.said if one.state == "stopped" else "",
        done,
        steps,
        tuple(visits.counts(one.id).items()),
    )


def _waits_for(look: Look, one: Promotion, wanted: int, approvals: Sequence[Approval]) -> str:
    group = prefix(look.environment)
    if one.state == "requested":
        counting = {approval.approved_by for approval in approvals if not approval.problem}
        named = [
            name
            for name in look.environment.members.get("approver", ())
            if name not in counting and name != one.requested_by
        ]
        missing = counted(wanted - len(counting), "approval")
        return f"{missing} by {' or '.join(named) or f'a member of {group}_approver'}"
    if one.state in ("approved", "stopped") or (one.state == "applying" and not one.at_work):
        named = list(look.environment.members.get("runner", ()))
        return " or ".join(named) or f"a member of {group}_runner"
    return ""
