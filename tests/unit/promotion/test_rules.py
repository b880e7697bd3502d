"""Which gates an environment asks for, and that each of the table has an answer and a place."""

from __future__ import annotations

from pgrehearse.environments.declared import Environment
from pgrehearse.promotion.gate_table import GATES, prefix, required
from pgrehearse.promotion.transitions import transitions

ONE = Environment("shop", "production", service="x", without=("drift", "backup"))


def test_what_comes_before_decides_which_gates_can_be_asked() -> None:
    assert required(ONE, 0) == ["ledger", "rehearsal", "policy", "approvals"]
    assert "promoted" not in required(ONE, 1)
    assert required(ONE, 2) == [name for name in GATES if name not in ("drift", "backup")]


def test_a_gate_that_is_always_asked_can_be_asked_everywhere_but_at_the_first() -> None:
    assert {name for name, gate in GATES.items() if gate.always} == {"ledger", "applied", "approvals"}


def test_the_names_of_roles_fit_into_an_identifier() -> None:
    longest = Environment("a" * 31, "production", service="x")
    assert len(f"{prefix(longest)}_requester") <= 63


def test_the_transitions_lead_from_a_request_to_an_end() -> None:
    found = transitions()
    reached = {""}
    for _ in found:
        reached |= {one.after for one in found if one.before in reached}
    ends = {one.after for one in found} - {one.before for one in found}
    assert ends == {"applied", "canceled", "superseded"}
    assert reached >= {one.before for one in found} | ends
    assert {role for one in found for role in one.roles} == {"requester", "approver", "runner"}
